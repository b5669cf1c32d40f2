import type { Logger } from 'pino'
import sharp from 'sharp'
import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import type { SequenceDepth, SequenceFrame } from '../../inference/index.ts'
import { executorSpec, inferSequence, ProcessExecutor, servedModels } from '../../inference/index.ts'
import type { SessionOptions } from '../../session.ts'
import { resizeBilinear } from '../../video/index.ts'
import type { RgbdFrame } from './rgbd-folder.ts'
import { listRgbd, readDepthTruth } from './rgbd-folder.ts'
import type { ScoredFrame, SequenceScore } from './score-sequence.ts'
import { scoreSequence } from './score-sequence.ts'

export interface EvaluateOptions {
  /** Folder with color/ and depth/. */
  data: string
  fit: 'first' | 'global'
  /** Its default model is the one that is scored. */
  config: Config
  options: Pick<SessionOptions, 'mode' | 'cacheSize'>
  log: Logger
}

/** Score a model on one sequence. Throws DATA_INVALID, MODEL_UNKNOWN, MODEL_MODE_UNSUPPORTED, EXECUTOR_FAILED. */
export async function evaluate({ data, fit, config, options, log }: EvaluateOptions): Promise<SequenceScore> {
  const frames = await listRgbd(data)
  const model = (await servedModels(config, log)).get(config.defaultModel)
  if (model === undefined)
    throw new LeadlineError('MODEL_UNKNOWN', `There is no model "${config.defaultModel}" to score`)
  const executor = await ProcessExecutor.start({ spec: executorSpec(config), log })
  try {
    const depths: SequenceDepth[] = []
    for await (const depth of inferSequence(executor, model, options, colors(frames))) depths.push(depth)
    return await scoreSequence(() => scored(frames, depths), fit)
  } finally {
    await executor.close()
  }
}

async function* colors(frames: readonly RgbdFrame[]): AsyncGenerator<SequenceFrame> {
  for (const { colorPath } of frames) {
    const image = sharp(colorPath).toColourspace('srgb').removeAlpha()
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
    yield { rgb: data, width: info.width, height: info.height }
  }
}

/** Depth maps at the size of their truth, which is read again each time: it is larger than the maps. */
async function* scored(
  frames: readonly RgbdFrame[],
  depths: readonly SequenceDepth[]
): AsyncGenerator<ScoredFrame> {
  for (const [i, { depthPath }] of frames.entries()) {
    const found = depths[i]
    if (found === undefined) return
    const truth = await readDepthTruth(depthPath)
    yield { prediction: resizeBilinear(found.depth, found.size, truth), truthMm: truth.truthMm }
  }
}
