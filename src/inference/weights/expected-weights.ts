import { LeadlineError } from '../../errors.ts'
import type { Architecture, ConvDimensions } from '../../manifest.ts'
import { motionChannels } from './architecture-rules.ts'
import type { WeightsMap } from './weights-map.ts'

/** A size that the layout leaves open: the rows of a temporal position table. */
const anySize = null
type ExpectedShape = readonly (number | typeof anySize)[]

/** Functions of its place that a cell of a convolutional encoder's coarsest map is told by. */
const COORDINATES = 13

/** In every official checkpoint, and read by no network: the training's mask and half of the coarsest fusion stage. */
const unusedNames =
  /^(pretrained\.mask_token|head\.scratch\.refinenet4\.resConfUnit1\.conv[12]\.(weight|bias))$/

/**
 * Throws MODEL_FILE_INVALID with the first tensor of the official layout that is absent or of another shape, else with
 * the first that has no place in it: what it would have done is then missing from the result.
 */
export function checkWeights(weights: WeightsMap, architecture: Architecture, source: string): void {
  const layout = expectedWeights(architecture)
  for (const [name, expected] of layout) {
    const found = weights.get(name)?.shape
    const text = expected.map((size) => size ?? '*').join(', ')
    if (found === undefined) throw mismatch(`${source} lacks '${name}' of shape [${text}]`)
    const fits =
      found.length === expected.length &&
      expected.every((size, axis) => (size ?? found[axis]) === found[axis])
    if (!fits) throw mismatch(`${source} has '${name}' of shape [${found.join(', ')}] instead of [${text}]`)
  }
  for (const [name, { shape }] of weights)
    if (!layout.has(name) && !unusedNames.test(name))
      throw mismatch(`${source} has an unexpected '${name}' of shape [${shape.join(', ')}]`)
}

/** Every tensor that the network reads, in the names of Video Depth Anything. */
export function expectedWeights(architecture: Architecture): Map<string, ExpectedShape> {
  const { conv } = architecture
  const still =
    conv === undefined
      ? [...encoderShapes(architecture), ...headShapes(architecture)]
      : [...convEncoderShapes(architecture, conv), ...convHeadShapes(architecture, conv)]
  return new Map(architecture.motionModules === false ? still : [...still, ...motionShapes(architecture)])
}

/** The tensors of the four motion modules alone. */
export function motionWeights(architecture: Architecture): Map<string, ExpectedShape> {
  return new Map(motionShapes(architecture))
}

type Entry = readonly [string, ExpectedShape]

function* encoderShapes(architecture: Architecture): Generator<Entry> {
  const { embedDim: dim, patch, positionTable } = architecture
  const tableCells = positionTable.reduce((product, size) => product * size, 1)
  yield ['pretrained.cls_token', [1, 1, dim]]
  yield ['pretrained.pos_embed', [1, 1 + tableCells, dim]]
  yield ['pretrained.patch_embed.proj.weight', [dim, 3, patch, patch]]
  yield ['pretrained.patch_embed.proj.bias', [dim]]
  yield* blockShapes(architecture)
  yield* norm('pretrained.norm', dim)
}

function* convEncoderShapes(
  architecture: Architecture,
  { stem, widths, depths }: ConvDimensions
): Generator<Entry> {
  yield* convolution('pretrained.stem.0', [stem, 3, 3, 3])
  yield* convolution('pretrained.stem.1', [stem, stem, 3, 3])
  for (const [stage, width] of widths.entries()) {
    const name = `pretrained.stages.${stage}`
    yield* convolution(`${name}.down`, [width, widths[stage - 1] ?? stem, 3, 3])
    for (let unit = 0; unit < depths[stage]!; unit++)
      for (const conv of [1, 2]) yield* convolution(`${name}.units.${unit}.conv${conv}`, [width, width, 3, 3])
  }
  yield* linear('pretrained.position', COORDINATES, architecture.embedDim)
  yield* blockShapes(architecture)
}

function* blockShapes({ embedDim: dim, blocks, mlpRatio }: Architecture): Generator<Entry> {
  for (let block = 0; block < blocks; block++) {
    const name = `pretrained.blocks.${block}`
    yield* norm(`${name}.norm1`, dim)
    yield* linear(`${name}.attn.qkv`, dim, 3 * dim)
    yield* linear(`${name}.attn.proj`, dim, dim)
    yield [`${name}.ls1.gamma`, [dim]]
    yield* norm(`${name}.norm2`, dim)
    yield* linear(`${name}.mlp.fc1`, dim, mlpRatio * dim)
    yield* linear(`${name}.mlp.fc2`, mlpRatio * dim, dim)
    yield [`${name}.ls2.gamma`, [dim]]
  }
}

function* headShapes(architecture: Architecture): Generator<Entry> {
  const { embedDim, features, outChannels } = architecture
  const [first, second, , fourth] = outChannels as [number, number, number, number]
  for (const [index, channels] of outChannels.entries())
    yield* convolution(`head.projects.${index}`, [channels, embedDim, 1, 1])
  yield* convolution('head.resize_layers.0', [first, first, 4, 4])
  yield* convolution('head.resize_layers.1', [second, second, 2, 2])
  yield* convolution('head.resize_layers.3', [fourth, fourth, 3, 3])
  yield* fusionShapes(outChannels, [features, features, features, features, features])
  yield* convolution('head.scratch.output_conv1', [features / 2, features, 3, 3])
  yield* convolution('head.scratch.output_conv2.0', [32, features / 2, 3, 3])
  yield* convolution('head.scratch.output_conv2.2', [1, 32, 1, 1])
}

function* convHeadShapes(architecture: Architecture, conv: ConvDimensions): Generator<Entry> {
  const { features, outChannels } = architecture
  const { stem, widths, fineFeatures: fine, lastFeatures: last } = conv
  for (const [index, channels] of outChannels.entries())
    yield* convolution(`head.projects.${index}`, [channels, widths[index]!, 1, 1])
  yield ['head.scratch.layer0_rn.weight', [last, stem, 1, 1]]
  yield* fusionShapes(outChannels, [last, fine, fine, features, features])
  yield* convolution('head.scratch.output_conv1', [last, last, 3, 3])
  yield* convolution('head.scratch.output_conv2', [4, last, 3, 3])
}

/** `features`: what leaves fusion stage 1, then the channels of the stages 1 to 4. A stage leaves those of the one before it. */
function* fusionShapes(outChannels: readonly number[], features: readonly number[]): Generator<Entry> {
  for (const [index, channels] of outChannels.entries())
    yield [`head.scratch.layer${index + 1}_rn.weight`, [features[index + 1]!, channels, 3, 3]]
  for (const stage of [1, 2, 3, 4]) {
    const name = `head.scratch.refinenet${stage}`
    const width = features[stage]!
    yield* convolution(`${name}.out_conv`, [features[stage - 1]!, width, 1, 1])
    for (const unit of stage === 4 ? [2] : [1, 2])
      for (const conv of [1, 2])
        yield* convolution(`${name}.resConfUnit${unit}.conv${conv}`, [width, width, 3, 3])
  }
}

function* motionShapes(architecture: Architecture): Generator<Entry> {
  for (const [index, channels] of motionChannels(architecture).entries()) {
    const name = `head.motion_modules.${index}.temporal_transformer`
    const block = `${name}.transformer_blocks.0`
    yield* norm(`${name}.norm`, channels)
    yield* linear(`${name}.proj_in`, channels, channels)
    for (const attention of [0, 1]) {
      const attentionName = `${block}.attention_blocks.${attention}`
      for (const part of ['to_q', 'to_k', 'to_v'])
        yield [`${attentionName}.${part}.weight`, [channels, channels]]
      yield* linear(`${attentionName}.to_out.0`, channels, channels)
      yield [`${attentionName}.pos_encoder.pe`, [1, anySize, channels]]
      yield* norm(`${block}.norms.${attention}`, channels)
    }
    yield* linear(`${block}.ff.net.0.proj`, channels, 8 * channels)
    yield* linear(`${block}.ff.net.2`, 4 * channels, channels)
    yield* norm(`${block}.ff_norm`, channels)
    yield* linear(`${name}.proj_out`, channels, channels)
  }
}

function* norm(name: string, channels: number): Generator<Entry> {
  yield [`${name}.weight`, [channels]]
  yield [`${name}.bias`, [channels]]
}

function* linear(name: string, inputs: number, outputs: number): Generator<Entry> {
  yield [`${name}.weight`, [outputs, inputs]]
  yield [`${name}.bias`, [outputs]]
}

function* convolution(name: string, shape: readonly [number, number, number, number]): Generator<Entry> {
  yield [`${name}.weight`, shape]
  yield [`${name}.bias`, [shape[0]]]
}

function mismatch(detail: string): LeadlineError {
  return new LeadlineError('MODEL_FILE_INVALID', `${detail}; is it of this architecture?`)
}
