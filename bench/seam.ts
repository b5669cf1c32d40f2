/**
 * How far depth jumps where a latent cache was made anew, and what joining it to the last map does about it:
 * `npm run bench seam`, with videos named in LEADLINE_BENCH_VIDEOS (separated by `:`), else the generated clip. Differences
 * are those from the undisturbed stream, as shares of its map's extent.
 */
import { pino } from 'pino'
import { loadConfig } from '../src/config.ts'
import type { ModelHandle } from '../src/inference/executor.ts'
import { OrtNodeExecutor } from '../src/inference/executors/ort-node/ort-node.ts'
import { planOf, servedModels, sessionPlan } from '../src/inference/index.ts'
import { prepareRgb } from '../src/inference/pixels/preprocess.ts'
import { networkSize } from '../src/inference/pixels/resolution.ts'
import { depthOfCells, gridSize } from '../src/inference/stability/frame-grid.ts'
import { faded, joinSeam } from '../src/inference/stability/seam.ts'
import { framesSeenAtOnce } from '../src/inference/latents/window.ts'
import type { Line } from '../src/maps/line-fit.ts'
import { generateClip, readVideo } from '../src/video/index.ts'
import { median, report } from './report.ts'

const length = 130
const lossesAt = [54, 74, 94, 114]
/** Frames after the loss that are looked at. */
const after = 15
const window = 16

const config = loadConfig({})
const model = (await servedModels(config, pino({ level: 'silent' }))).get(config.defaultModel)
if (!model) throw new Error(`${config.defaultModel} is not here`)
const { resolution } = model.manifest
const executor = new OrtNodeExecutor({ threads: 1 })

interface Jump {
  plain: number[]
  joined: number[]
  residual: number
}

const source = { width: 350, height: 196 }

async function framesOf(videoPath: string | null): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  const take = async (rgb: Uint8Array) => frames.push((await prepareRgb(rgb, source, resolution)).rgb)
  if (videoPath === null)
    for (const { rgb } of generateClip({ ...source, frames: length, fps: 12 })) await take(rgb)
  else for await (const { rgb } of readVideo(videoPath, source)) if ((await take(rgb)) === length) break
  return frames
}

const size = networkSize(source, resolution)

async function depthsOf(handle: ModelHandle, frames: readonly Uint8Array[]): Promise<Float32Array[]> {
  const state = await executor.newState(handle)
  const depths: Float32Array[] = []
  for (const [framesSeen, frame] of frames.entries()) {
    const [result] = await executor.step(handle, [{ state, framesSeen, frame }])
    depths.push(Float32Array.from(result!.depth))
  }
  await executor.free(state)
  return depths
}

async function jumpAt(
  handle: ModelHandle,
  frames: readonly Uint8Array[],
  undisturbed: readonly Float32Array[],
  { lostAt, kept, windowFrames }: { lostAt: number; kept: readonly Uint8Array[]; windowFrames: number }
): Promise<Jump> {
  const rebuilt = await depthsOf(handle, [...kept, ...frames.slice(lostAt, lostAt + after)])
  const cells = (depth: Float32Array) => depthOfCells(depth, size, gridSize(size))
  const [anew, shown] = [cells(rebuilt[kept.length - 1]!), cells(undisturbed[lostAt - 1]!)]
  const { line, residual } = joinSeam(anew, shown, { isMetric: false })
  const following = rebuilt.slice(kept.length)
  const fading = following.map(() => line)
  for (let i = 1; i < after; i++) fading[i] = fading[i - 1]! && faded(fading[i - 1]!, windowFrames, 1)
  const differences = (lines: readonly (Line | null)[]) =>
    following.map((depth, i) => difference(moved(depth, lines[i] ?? null), undisturbed[lostAt + i]!))
  return { plain: differences([]), joined: differences(fading), residual }
}

function moved(depth: Float32Array, line: Line | null): Float32Array {
  return line ? depth.map((value) => Math.max(0, value * line.scale + line.shift)) : depth
}

/** Mean, as a share of the extent. */
function difference(depth: Float32Array, from: Float32Array): number {
  const extent = from.reduce((a, b) => Math.max(a, b)) - from.reduce((a, b) => Math.min(a, b))
  return depth.reduce((sum, value, i) => sum + Math.abs(value - from[i]!), 0) / depth.length / extent
}

function tell(what: string, jumps: readonly Jump[]): void {
  for (const [when, at] of [
    ['just after', 0],
    [`${after} frames on`, after - 1]
  ] as const) {
    const [plain, joined] = (['plain', 'joined'] as const).map((how) =>
      median(jumps.map((jump) => 100 * jump[how][at]!))
    )
    report({ name: `${what}, ${when}: as rebuilt`, value: plain!, unit: '%' })
    report({
      ...{ name: `${what}, ${when}: joined`, value: joined!, unit: '%' },
      ...{ ratio: joined! / plain!, to: 'as rebuilt' }
    })
  }
  report({
    name: `${what}: residual that is told`,
    value: 100 * median(jumps.map(({ residual }) => residual)),
    unit: '%'
  })
}

const videos = (process.env['LEADLINE_BENCH_VIDEOS'] ?? '').split(':').filter(Boolean)
const clips = await Promise.all((videos.length > 0 ? videos : [null]).map(framesOf))
for (const mode of ['ovda', 'vda-stream'] as const) {
  const handle = await executor.load(planOf(sessionPlan(model, { mode, cacheSize: window }), size))
  const windowFrames = framesSeenAtOnce({ mode, cacheSize: window })
  const keeps = mode === 'ovda' ? [1, 2, 3] : [1]
  const jumps = keeps.map((): Jump[] => [])
  for (const frames of clips) {
    const undisturbed = await depthsOf(handle, frames)
    for (const lostAt of lossesAt.filter((at) => at + after <= frames.length)) {
      for (const [index, windows] of keeps.entries()) {
        const kept =
          mode === 'ovda'
            ? frames.slice(lostAt - windows * (window - 1) - 1, lostAt)
            : [frames[0]!, ...frames.slice(lostAt - 42, lostAt)]
        jumps[index]!.push(await jumpAt(handle, frames, undisturbed, { lostAt, kept, windowFrames }))
      }
    }
  }
  for (const [index, windows] of keeps.entries())
    tell(
      `${config.defaultModel}, ${mode}${mode === 'ovda' ? `, ${windows} windows kept` : ''}`,
      jumps[index]!
    )
}
await executor.close()
