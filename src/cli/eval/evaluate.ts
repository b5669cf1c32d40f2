import type { Logger } from 'pino'
import sharp from 'sharp'
import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import type {
  Executor,
  SequenceDepth,
  SequenceFrame,
  SequenceOptions,
  ServedModel
} from '../../inference/index.ts'
import { executorSpec, inferSequence, ProcessExecutor, defaultModel } from '../../inference/index.ts'
import type { Manifest } from '../../manifest.ts'
import { resizeBilinear } from '../../maps/bilinear.ts'
import type { RgbdFrame, RgbdSequence } from './datasets/sequence.ts'
import type { FitOn, ScoredFrame, SequenceScore } from './scoring/score-sequence.ts'
import { scoreSequence } from './scoring/score-sequence.ts'

export interface EvaluateOptions {
  sequences: readonly RgbdSequence[]
  fit: FitOn
  model: ServedModel
  executor: Executor
  /** How the model is run. */
  options: SequenceOptions
}

export interface ScoredSequence {
  sequence: string
  score: SequenceScore
}

/** Score a model on each sequence, in order. Throws DATA_INVALID, MODEL_MODE_UNSUPPORTED, EXECUTOR_FAILED. */
export async function* evaluate({
  sequences,
  fit,
  ...run
}: EvaluateOptions): AsyncGenerator<ScoredSequence, void, undefined> {
  const { name: modelName, quantity } = run.model.manifest
  if (fit === 'none' && quantity !== 'metric-depth') {
    throw new LeadlineError(
      'MODEL_MODE_UNSUPPORTED',
      `Model "${modelName}" gives ${quantity}, which has no unit: it needs a fit, global or first`
    )
  }
  for (const { name, frames } of sequences) {
    const depths: SequenceDepth[] = []
    for await (const depth of inferSequence(run.executor, run.model, run.options, colors(frames)))
      depths.push(depth)
    const score = await scoreSequence(() => scored(frames, depths, quantity), fit)
    if (score === null) {
      throw new LeadlineError(
        'DATA_INVALID',
        `${name}: no pixel has a known depth after frame 0; check the units and the --layout of its depth`
      )
    }
    yield { sequence: name, score }
  }
}

export interface ModelRun {
  model: ServedModel
  executor: Executor
}

/** Run `work` with the default model of `config` on an executor that is closed after it. Throws MODEL_UNKNOWN. */
export async function withModel<T>(
  config: Config,
  log: Logger,
  work: (run: ModelRun) => Promise<T>
): Promise<T> {
  const model = await defaultModel(config, log)
  const executor = await ProcessExecutor.start({ spec: executorSpec(config), log })
  try {
    return await work({ model, executor })
  } finally {
    await executor.close()
  }
}

/** The pictures of a sequence, which must all have the size of the first. Throws DATA_INVALID. */
export async function* colors(frames: readonly RgbdFrame[]): AsyncGenerator<SequenceFrame> {
  let first: { width: number; height: number } | null = null
  for (const { colorPath } of frames) {
    const image = sharp(colorPath).toColourspace('srgb').removeAlpha()
    const { data, info } = await image
      .raw()
      .toBuffer({ resolveWithObject: true })
      .catch((cause: unknown) => {
        throw new LeadlineError('DATA_INVALID', `${colorPath} cannot be read as a picture; fetch it again`, {
          cause
        })
      })
    const { width, height } = info
    first ??= { width, height }
    if (width !== first.width || height !== first.height) {
      throw new LeadlineError(
        'DATA_INVALID',
        `${colorPath} is ${width} x ${height}, the frames before it ${first.width} x ${first.height}; a sequence has one size`
      )
    }
    yield { rgb: data, width, height }
  }
}

/** Depth maps at the size of their truth, which is read again each time: it is larger than the maps. */
async function* scored(
  frames: readonly RgbdFrame[],
  depths: readonly SequenceDepth[],
  quantity: Manifest['quantity']
): AsyncGenerator<ScoredFrame> {
  for (const [i, { readTruth, camera }] of frames.entries()) {
    const found = depths[i]
    if (found === undefined) return
    const truth = await readTruth()
    const resized = resizeBilinear(found.depth, found.size, truth)
    const prediction = quantity === 'metric-depth' ? inverted(resized) : resized
    yield { prediction, truthM: truth.depthM, width: truth.width, height: truth.height, camera }
  }
}

/** Nearer than this no camera of the data sets sees; a network may say 0. */
const minDepthM = 0.01

/** Metres as inverse depth in 1/m, in which the protocol fits. */
function inverted(depthM: Float32Array): Float32Array {
  return depthM.map((metres) => 1 / Math.max(metres, minDepthM))
}
