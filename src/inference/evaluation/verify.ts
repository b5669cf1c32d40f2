import type { BuildOptions, NetworkPlan } from '../executors/ort-node/ort-model.ts'
import type { OpSetName } from '../graph/step-graph.ts'
import { windowStages } from '../latents/window-values.ts'
import { VDA_WINDOW } from '../latents/window.ts'
import { openGoldenFolder, readDepths, readFrames, type Golden, type GoldenFolder } from './golden-folder.ts'

/** Largest relative error at which two implementations of one network count as equal in float32. */
const GOLDEN_TOLERANCE = 1e-4
/**
 * Errors are relative to the value, but never to less than this part of the golden's largest value: near zero the
 * rounding of float32 is as large as the values. There the tolerance is 1e-5 of the range, less than a step of u16.
 */
const RELATIVE_FLOOR = 0.1

export interface GoldenDifference {
  maxAbsolute: number
  /** max |a - b| / max(|b|, 0.1 * max |b| over the golden). */
  maxRelative: number
}

export type GoldenResult = Golden &
  (
    | ({ outcome: 'equal' | 'different'; frames: number } & GoldenDifference)
    | { outcome: 'skipped'; reason: string }
  )

export interface VerifyOptions {
  /** @default 1 */
  threads?: number
  /** @default 'fast' */
  opSet?: OpSetName
}

/**
 * Runs the network of a golden folder as the goldens were made and compares: single, ovda-c<L>-strict, ovda-c<L>-self,
 * vda-stream31, vda-window32. Other modes are reported as skipped. Calls `onResult` after each golden and returns all
 * results. Throws DATA_INVALID, MODEL_FILE_INVALID or EXECUTOR_FAILED.
 */
export async function verifyGoldens(
  directory: string,
  onResult: (result: GoldenResult) => void = () => undefined,
  options: VerifyOptions = {}
): Promise<GoldenResult[]> {
  const folder = await openGoldenFolder(directory)
  const results: GoldenResult[] = []
  for (const golden of folder.goldens) {
    const result = await verifyGolden(folder, golden, options)
    results.push(result)
    onResult(result)
  }
  return results
}

type GoldenMode = Pick<NetworkPlan, 'mode' | 'cacheSize' | 'attendSelf'>

const vdaWindow = { cacheSize: VDA_WINDOW, attendSelf: true }
const fixedModes: Readonly<Record<string, GoldenMode>> = {
  single: { mode: 'single', cacheSize: 1, attendSelf: true },
  'vda-stream31': { mode: 'vda-stream', ...vdaWindow },
  'vda-window32': { mode: 'vda-window', ...vdaWindow }
}

function parseMode(mode: string): GoldenMode | null {
  const fixed = fixedModes[mode]
  if (fixed !== undefined) return fixed
  const match = /^ovda-c(\d+)-(strict|self)$/.exec(mode)
  if (match === null) return null
  return { mode: 'ovda', cacheSize: Number(match[1]), attendSelf: match[2] === 'self' }
}

async function verifyGolden(
  folder: GoldenFolder,
  golden: Golden,
  options: VerifyOptions
): Promise<GoldenResult> {
  const mode = parseMode(golden.mode)
  if (mode === null)
    return { ...golden, outcome: 'skipped', reason: `mode ${golden.mode} is not one that Leadline runs` }
  const expected = await readDepths(folder, golden)
  const frames = await readFrames(folder, golden)
  const difference = new DifferenceMeter(expected)
  const { height, width } = golden
  const plan = { ...mode, height, width, architecture: folder.architecture, precision: 'fp32' as const }
  const build = { weights: folder.weights, threads: 1, ...options }
  const chosen = expected.map((_, index) =>
    mode.mode === 'single' ? spread(index, expected.length, frames) : frames[index]!
  )
  const depths =
    mode.mode === 'vda-window' ? windowDepths(plan, build, chosen) : stepDepths(plan, build, chosen)
  let index = 0
  for await (const depth of depths) difference.add(depth, expected[index++]!)
  const { maxAbsolute, maxRelative } = difference
  const outcome = maxRelative <= GOLDEN_TOLERANCE ? 'equal' : 'different'
  return { ...golden, outcome, frames: expected.length, maxAbsolute, maxRelative }
}

// Native code is loaded here and not with this file, which every command of the CLI imports.
async function* stepDepths(plan: NetworkPlan, options: BuildOptions, frames: readonly Uint8Array[]) {
  const { OrtModel } = await import('../executors/ort-node/ort-model.ts')
  const model = await OrtModel.build(plan, options)
  try {
    const cache = model.newCache()
    for (const [index, frame] of frames.entries()) yield await model.step(cache, index, frame)
  } finally {
    await model.release()
  }
}

/** One window, frame i in slot i; a shorter clip is filled up with its last frame. */
async function* windowDepths(plan: NetworkPlan, options: BuildOptions, frames: readonly Uint8Array[]) {
  const { OrtWindowModel } = await import('../executors/ort-node/ort-window-model.ts')
  const model = await OrtWindowModel.build(plan, options)
  const places = Int32Array.from({ length: VDA_WINDOW }, (_, place) => place)
  try {
    const cache = model.newCache()
    for (let stage = 0; stage < windowStages; stage++)
      for (let slot = 0; slot < VDA_WINDOW; slot++) {
        const frame = stage === 0 ? (frames[slot] ?? frames.at(-1)!) : null
        const depth = await model.slice(cache, { stage, slot, places, frame })
        if (depth !== null && slot < frames.length) yield depth
      }
  } finally {
    await model.release()
  }
}

/** Of frames that stand alone, goldens hold a few, evenly spread from the first to the last. */
function spread(index: number, numDepths: number, frames: readonly Uint8Array[]): Uint8Array {
  return frames[numDepths === 1 ? 0 : Math.round((index * (frames.length - 1)) / (numDepths - 1))]!
}

class DifferenceMeter implements GoldenDifference {
  maxAbsolute = 0
  maxRelative = 0
  private readonly floor: number

  constructor(expected: readonly Float32Array[]) {
    const largest = expected.reduce(
      (max, map) => map.reduce((a, value) => Math.max(a, Math.abs(value)), max),
      0
    )
    this.floor = RELATIVE_FLOOR * largest
  }

  add(actual: Float32Array, expected: Float32Array): void {
    for (let index = 0; index < expected.length; index++) {
      const value = Math.abs(expected[index]!)
      const error = Math.abs(actual[index]! - expected[index]!)
      // A NaN is greater than everything here, so that it can never pass.
      if (!(error <= this.maxAbsolute)) this.maxAbsolute = error
      const relative = error / Math.max(value, this.floor)
      if (!(relative <= this.maxRelative)) this.maxRelative = relative
    }
  }
}
