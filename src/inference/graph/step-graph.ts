import { LeadlineError } from '../../errors.ts'
import type { Architecture, Precision } from '../../manifest.ts'
import type { Mode } from '../../session.ts'
import { sizeMultiple } from '../weights/architecture-rules.ts'
import type { WeightsMap } from '../weights/weights-map.ts'
import { convEncoder } from './conv-encoder.ts'
import { convDepthHead } from './conv-head.ts'
import { encoder } from './encoder.ts'
import { fastOps } from './fast-ops.ts'
import { floatTypeOf } from '../latents/float-type.ts'
import { GraphBuilder } from './graph-builder.ts'
import type { GraphContext, RingWriting } from './graph-context.ts'
import { depthHead } from './head.ts'
import { LayerWeights } from './layer-weights.ts'
import type { OpSet } from './op-set.ts'
import type { WeightBits } from '../cpu-features.ts'
import { standardOps } from './standard-ops.ts'
import { tensorRtOps } from './tensorrt-ops.ts'
import { webgpuOps } from './webgpu-ops.ts'
import { windowShape } from '../latents/window.ts'

export const frameInput = 'frame'
export const depthOutput = 'depth'

/**
 * fast: with operators of ONNX Runtime's own; webgpu: those that its WebGPU provider has; standard: ONNX opset 18 alone;
 * tensorrt: what of these TensorRT has.
 */
export type OpSetName = 'fast' | 'webgpu' | 'standard' | 'tensorrt'

const opSets: Record<OpSetName, OpSet> = {
  fast: fastOps,
  webgpu: webgpuOps,
  standard: standardOps,
  tensorrt: tensorRtOps
}

export interface StepGraphOptions {
  weights: WeightsMap
  architecture: Architecture
  /** Network size in pixels, in multiples that the architecture sets. */
  height: number
  width: number
  mode: Mode
  /** L, frames in the window of mode ovda; other modes ignore it. */
  cacheSize: number
  /** Rows of one run. @default 1 */
  batch?: number
  /** @default 'fast' */
  opSet?: OpSetName
  /** int8 is for the fast operators and a batch of 1; with fp16 rings and latents are float16 too. @default 'fp32' */
  precision?: Precision
  /** Of int8. @default 7, exact on every processor; 8 is finer where products are summed in 32 bits (see processor.ts) */
  weightBits?: WeightBits
  /** @default 'inPlace' with fast operators, else 'scattered' */
  ring?: RingWriting
}

/**
 * The network as one ONNX model that runs one step. Inputs: frame uint8 [B, H, W, 3] in RGB; in a temporal mode also the
 * rings cache_0..7 [slots, P, C] of each row (see latents.ts) and positions, mask, query_position (see window.ts), with
 * rings that it writes itself, `written` [B, slots] too: 1 where the latents go. Outputs: depth [B, H, W]; in a temporal
 * mode also latent_0..7 [P, C] of each row, which belong into the write slots of its rings, or the rings themselves (see
 * RingWriting). Every dimension is fixed. Throws MODEL_MODE_UNSUPPORTED for a size or window that the network lacks. In
 * mode vda-window one frame cannot be stepped alone: see window-graphs.ts.
 */
export function buildStepGraph(options: StepGraphOptions): Uint8Array {
  return buildNetwork(options).toModel()
}

/** The network as a graph that is not written yet. */
export function buildNetwork(options: StepGraphOptions): GraphBuilder {
  const { architecture, height, width, mode, batch = 1, opSet = 'fast', precision = 'fp32' } = options
  checkSize(options)
  // An int8 product has one scale for all of its rows: a frame's depth would depend on strangers.
  if (precision === 'int8' && !(opSet === 'fast' && batch === 1))
    throw new LeadlineError(
      'MODEL_MODE_UNSUPPORTED',
      `int8 needs the fast operators and a batch of 1, not ${opSet} ones and a batch of ${batch}; take fp32`
    )
  const context: GraphContext = {
    graph: new GraphBuilder(floatTypeOf(precision)),
    ops: opSets[opSet],
    weights: new LayerWeights(options.weights),
    architecture,
    mode,
    precision,
    weightBits: options.weightBits ?? 7,
    batch,
    grid: [height / architecture.patch, width / architecture.patch],
    ring: options.ring ?? (opSet === 'fast' ? 'inPlace' : 'scattered'),
    window: windowShape(mode, options.cacheSize)
  }
  const frame = context.graph.input(frameInput, 'uint8', [batch, height, width, 3])
  context.graph.output(depthOutput, [batch, height, width], 'float32')
  if (architecture.conv === undefined) depthHead(context, encoder(context, frame), depthOutput)
  else convDepthHead(context, convEncoder(context, architecture.conv, frame), depthOutput)
  return context.graph
}

function checkSize({ architecture, height, width, mode, cacheSize, weights }: StepGraphOptions): void {
  const multiple = sizeMultiple(architecture)
  if (height < multiple || width < multiple || height % multiple !== 0 || width % multiple !== 0)
    throw new LeadlineError(
      'MODEL_MODE_UNSUPPORTED',
      `Network size ${width}x${height} is not in multiples of ${multiple}, as the model needs it; choose one that is`
    )
  const table =
    'head.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.pos_encoder.pe'
  const maxWindow = weights.get(table)?.shape[1] ?? 0
  const { places } = windowShape(mode, cacheSize)
  if (mode !== 'single' && (places < 2 || places > maxWindow))
    throw new LeadlineError(
      'MODEL_MODE_UNSUPPORTED',
      mode === 'ovda'
        ? `cacheSize ${places} is outside 2..${maxWindow}, the positions that the model has`
        : `Mode ${mode} needs ${places} positions; the model has ${maxWindow}`
    )
}
