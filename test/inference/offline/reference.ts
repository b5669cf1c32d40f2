/**
 * Video Depth Anything's offline mode over whole lists, as its authors describe it: which frames make up each window, and
 * how the windows' depth is joined. Windows without a new frame are left out.
 */

const keyframes = [0, 12, 24, 25, 26, 27, 28, 29, 30, 31]

/** Frame numbers by place, window by window; beyond the clip its last frame is repeated. */
export function windowsOf(numFrames: number): number[][] {
  const windows: number[][] = []
  for (let begin = 0; begin === 0 || begin + 10 < numFrames; begin += 22) {
    const window = Array.from({ length: 32 }, (_, place) => Math.min(begin + place, numFrames - 1))
    const before = windows.at(-1)
    windows.push(before ? [...keyframes.map((place) => before[place]!), ...window.slice(10)] : window)
  }
  return windows
}

/** Depth of every place of every window → depth of every frame. */
export function stitch(windows: readonly (readonly Float32Array[])[], numFrames: number): number[][] {
  const aligned: number[][] = []
  let references: number[][] = []
  for (const window of windows) {
    const maps = window.map((map) => [...map])
    if (aligned.length === 0) {
      aligned.push(...maps)
      references = [maps[0]!, maps[12]!]
      continue
    }
    const { scale, shift } = fit([maps[0]!, maps[1]!].flat(), references.flat())
    const moved = maps.map((map) => map.map((value) => Math.max(0, value * scale + shift)))
    const before = aligned.splice(-8)
    for (let i = 0; i < 8; i++)
      aligned.push(before[i]!.map((value, x) => value * (1 - i / 7) + moved[2 + i]![x]! * (i / 7)))
    aligned.push(...moved.slice(10))
    references = [references[0]!, moved[12]!]
  }
  return aligned.slice(0, numFrames)
}

function fit(x: number[], y: number[]): { scale: number; shift: number } {
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  const [meanX, meanY] = [mean(x), mean(y)]
  const scale =
    mean(x.map((value, i) => (value - meanX) * (y[i]! - meanY))) /
    mean(x.map((value) => (value - meanX) ** 2))
  return { scale, shift: meanY - scale * meanX }
}
