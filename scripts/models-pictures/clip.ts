import path from 'node:path'
import { resizeBilinear } from '../../src/maps/bilinear.ts'
import type { RgbdSequence } from '../../src/cli/eval/datasets/sequence.ts'
import type { ModelRun } from '../../src/cli/eval/evaluate.ts'
import { colors } from '../../src/cli/eval/evaluate.ts'
import type { Fit } from '../../src/cli/eval/scoring/least-squares.ts'
import { LeastSquares } from '../../src/cli/eval/scoring/least-squares.ts'
import { LeadlineError } from '../../src/errors.ts'
import type { SequenceDepth, SequenceFrame } from '../../src/inference/index.ts'
import { inferSequence } from '../../src/inference/index.ts'
import type { SessionOptions } from '../../src/session.ts'
import { probeVideo, readVideo } from '../../src/video/index.ts'

/** A video or an RGB-D sequence, to be shown at a few moments. */
export interface Clip {
  name: string
  frameCount: number
  frames(): AsyncIterable<SequenceFrame>
  /** Inverse depth in 1/m of a frame, 0 where it is not known, at a size of its own; null without truth. */
  truth: ((index: number) => Promise<Plane>) | null
}

export interface Plane {
  values: Float32Array
  width: number
  height: number
}

export interface Moment {
  index: number
  frame: SequenceFrame
  /** Inverse depth: in 1/m where there is truth to fit to, or else without a unit. */
  depth: Plane
  truth: Plane | null
}

/** Throws CLIP_INVALID when the file does not say how many frames it has. */
export async function videoClip(file: string): Promise<Clip> {
  const { frameCount } = await probeVideo(file)
  if (frameCount === null) {
    throw new LeadlineError(
      'CLIP_INVALID',
      `${file} does not say how many frames it has; convert it to mp4 first`
    )
  }
  return { name: path.parse(file).name, frameCount, frames: () => readVideo(file), truth: null }
}

export function sequenceClip(dataset: string, { name, frames }: RgbdSequence): Clip {
  const truth = async (index: number): Promise<Plane> => {
    const frame = frames[index]
    if (frame === undefined) throw new RangeError(`${name} has no frame ${index}`)
    const { depthM, width, height } = await frame.readTruth()
    return { values: depthM.map((depth) => (depth > 0 ? 1 / depth : 0)), width, height }
  }
  const isNamed = name === dataset
  return {
    name: isNamed ? name : `${dataset} ${name}`,
    frameCount: frames.length,
    frames: () => colors(frames),
    truth
  }
}

/** Runs the whole clip, in order, and keeps `count` moments evenly spread over it. */
export async function showMoments(
  clip: Clip,
  run: ModelRun & { options: Pick<SessionOptions, 'mode' | 'cacheSize'> },
  count: number
): Promise<Moment[]> {
  const shown = new Set(spread(clip.frameCount, count))
  const kept = new Map<number, SequenceFrame>()
  async function* frames() {
    let index = 0
    for await (const frame of clip.frames()) {
      if (shown.has(index)) kept.set(index, frame)
      index++
      yield frame
    }
  }
  const depths: SequenceDepth[] = []
  for await (const depth of inferSequence(run.executor, run.model, run.options, frames())) depths.push(depth)
  const { scale, shift } = await fitTo(clip, depths)
  return Promise.all(
    [...kept].map(async ([index, frame]) => {
      const { depth, size } = depths[index] ?? { depth: new Float32Array(), size: { width: 0, height: 0 } }
      const values = depth.map((value) => scale * value + shift)
      return {
        index,
        frame,
        depth: { values, ...size },
        truth: clip.truth && (await clip.truth(index))
      }
    })
  )
}

/** Numbers of `count` frames of `total`, from the middles of as many parts; all where there are fewer. */
export function spread(total: number, count: number): number[] {
  const parts = Math.min(total, count)
  return Array.from({ length: parts }, (_, i) => Math.floor(((i + 0.5) * total) / parts))
}

/** Scale and shift over all frames of the clip, as `leadline eval` fits; 1 and 0 without truth. */
async function fitTo({ truth }: Clip, depths: readonly SequenceDepth[]): Promise<Fit> {
  if (truth === null) return { scale: 1, shift: 0 }
  const fit = new LeastSquares()
  for (const [index, { depth, size }] of depths.entries()) {
    const known = await truth(index)
    fit.add(
      resizeBilinear(depth, size, known),
      known.values.map((value) => (value > 0 ? 1 / value : 0))
    )
  }
  return fit.solve()
}
