import { LeadlineError } from '../../errors.ts'
import type { Architecture } from '../../manifest.ts'
import { checkWeights } from '../weights/expected-weights.ts'
import type { WeightsMap } from '../weights/weights-map.ts'

/** Encoder blocks that feed the head, by depth of the encoder: VDA's choice for its sizes, in thirds for the small one. */
const tapsByDepth: Readonly<Record<number, number[]>> = {
  6: [1, 2, 4, 5],
  12: [2, 5, 8, 11],
  24: [4, 11, 17, 23]
}

const convStem = 'pretrained.stem.0.weight'

/** Channels per encoder head in every DINOv2. */
const ENCODER_HEAD_CHANNELS = 64
/** Video Depth Anything's motion modules, whatever the size. */
const TEMPORAL_HEADS = 8

/**
 * The dimensions of a network in the layout of Video Depth Anything, with or without motion modules, read off its
 * tensors. `source` names the weights in error messages. Throws MODEL_FILE_INVALID for anything that is not in that layout.
 */
export function deriveArchitecture(weights: WeightsMap, source: string): Architecture {
  if (weights.has(convStem))
    throw invalid(
      source,
      'has a convolutional encoder, and no tensor tells its heads; put its bundle, manifest.json and the weights beside it, in a folder of its own into LEADLINE_MODELS_DIR'
    )
  const size = (name: string, axis: number) => {
    const found = weights.get(name)?.shape[axis]
    if (found === undefined) throw invalid(source, `lacks '${name}'${instead(weights)}`)
    return found
  }
  const embedDim = size('pretrained.pos_embed', 2)
  const blocks = countBlocks(weights)
  const taps = tapsByDepth[blocks]
  if (taps === undefined)
    throw invalid(source, `has ${blocks} encoder blocks; known are ${Object.keys(tapsByDepth).join(', ')}`)
  const tableSide = Math.sqrt(size('pretrained.pos_embed', 1) - 1)
  if (!Number.isInteger(tableSide)) throw invalid(source, 'has a position table that is not square')
  const architecture: Architecture = {
    patch: size('pretrained.patch_embed.proj.weight', 2),
    embedDim,
    blocks,
    encoderHeads: embedDim / ENCODER_HEAD_CHANNELS,
    taps,
    mlpRatio: size('pretrained.blocks.0.mlp.fc1.weight', 0) / embedDim,
    features: size('head.scratch.layer1_rn.weight', 0),
    outChannels: [0, 1, 2, 3].map((index) => size(`head.projects.${index}.weight`, 0)),
    temporalHeads: TEMPORAL_HEADS,
    positionTable: [tableSide, tableSide],
    ...(hasMotion(weights) ? {} : { motionModules: false })
  }
  checkWeights(weights, architecture, source)
  return architecture
}

function countBlocks(weights: WeightsMap): number {
  const pattern = /^pretrained\.blocks\.(\d+)\./
  const indices = [...weights.keys()].map((name) => pattern.exec(name)?.[1]).filter((text) => text !== undefined)
  return new Set(indices).size
}

function hasMotion(weights: WeightsMap): boolean {
  return [...weights.keys()].some((name) => name.startsWith('head.motion_modules.'))
}

/** What the weights are in place of a network that can be added. */
function instead(weights: WeightsMap): string {
  const [first] = weights.keys()
  const found = first === undefined ? 'holds no tensors' : `begins with '${first}'`
  return ` and ${found}; what can be added is Video Depth Anything or Depth Anything V2 as their authors publish them (.pth)`
}

function invalid(source: string, what: string): LeadlineError {
  return new LeadlineError('MODEL_FILE_INVALID', `${source} ${what}`)
}
