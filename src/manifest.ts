import type { Static } from 'typebox'
import Type from 'typebox'

/** manifest.json beside a model's weights: who made it, what it is, how it may be run. The file models/ and src/ meet in. */

/** What only a convolutional encoder and its head have: channels at the strides 2 to 32, and residual blocks. */
const convSchema = Type.Object({
  stem: Type.Integer({ minimum: 1 }),
  widths: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 4, maxItems: 4 }),
  depths: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 4, maxItems: 4 }),
  /** Channels of the fusion stages at strides 8 and 4; those of the coarser ones are `features`. */
  fineFeatures: Type.Integer({ minimum: 1 }),
  /** Channels at stride 2. */
  lastFeatures: Type.Integer({ minimum: 1 })
})

/** Dimensions of the network; the same names as config.json of a golden folder. */
export const architectureSchema = Type.Object({
  patch: Type.Integer({ minimum: 1 }),
  embedDim: Type.Integer({ minimum: 1 }),
  blocks: Type.Integer({ minimum: 1 }),
  encoderHeads: Type.Integer({ minimum: 1 }),
  /** Encoder blocks (from 0) whose output feeds the head. */
  taps: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 4, maxItems: 4 }),
  mlpRatio: Type.Integer({ minimum: 1 }),
  features: Type.Integer({ minimum: 1 }),
  outChannels: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 4, maxItems: 4 }),
  temporalHeads: Type.Integer({ minimum: 1 }),
  /** Rows and columns of the position table, without the class token. */
  positionTable: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 2, maxItems: 2 }),
  /** Whether the head has its four motion modules; without them there is mode single alone. @default true */
  motionModules: Type.Optional(Type.Boolean()),
  /** Set: the last layer is a sigmoid times this, which makes metres. Absent: it is a ReLU. */
  maxDepthMetres: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  /**
   * conv: a convolutional encoder with the dimensions in `conv`. Then `blocks` and `embedDim` are those of its coarsest
   * map, `patch` is the stride of the third map, and `taps` and `positionTable` say nothing. @default 'vit'
   */
  encoder: Type.Optional(Type.Union([Type.Literal('vit'), Type.Literal('conv')])),
  conv: Type.Optional(convSchema)
})
export type Architecture = Static<typeof architectureSchema>
export type ConvDimensions = Static<typeof convSchema>

const cpuPrecisionSchema = Type.Union([Type.Literal('fp32'), Type.Literal('int8')])
/**
 * int8: the linear layers of encoder and motion modules, and the convolutions of an encoder's stages, in 8-bit integers, for
 * processors that multiply them several times faster (VNNI, AMX, dot product); the rest stays float32. Activations have one
 * scale per run, so rows of a batch would depend on each other: batch 1 only.
 * fp16: weights, activations and latent caches in half precision, for GPUs; the last layer stays float32.
 */
export type Precision = Static<typeof cpuPrecisionSchema> | 'fp16'

const temporalSchema = Type.Object({
  modes: Type.Array(
    Type.Union([
      Type.Literal('ovda'),
      Type.Literal('vda-stream'),
      Type.Literal('vda-window'),
      Type.Literal('single')
    ])
  ),
  cacheSizes: Type.Array(Type.Integer({ minimum: 2, maximum: 32 }), { minItems: 1 }),
  defaultCacheSize: Type.Integer({ minimum: 2, maximum: 32 }),
  attendSelf: Type.Boolean({
    description: 'Whether a frame attends to its own latent (default no: strict past)'
  })
})

const resolutionSchema = Type.Object({
  multiple: Type.Integer({ minimum: 1 }),
  lowerBound: Type.Integer({ minimum: 14, description: 'Target of the shorter side, in pixels' }),
  maxArea: Type.Integer({ minimum: 196, description: 'Largest network width times height, in pixels' })
})
export type ResolutionRule = Static<typeof resolutionSchema>

const figures = Type.Record(Type.String(), Type.Unknown())

export const manifestSchema = Type.Object({
  schema: Type.Literal(1),
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' }),
  title: Type.String(),
  license: Type.String({ description: 'SPDX identifier' }),
  nonCommercial: Type.Boolean(),
  quantity: Type.Union([Type.Literal('relative-inverse-depth'), Type.Literal('metric-depth')]),
  weights: Type.Object({
    file: Type.String(),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    bytes: Type.Integer(),
    dtype: Type.String()
  }),
  /** What the weights were converted from: file name or URL, and the SHA-256 of that file. */
  source: Type.Optional(
    Type.Object({ name: Type.String(), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) })
  ),
  architecture: Type.Object({
    family: Type.Literal('video-depth-anything'),
    ...architectureSchema.properties
  }),
  temporal: temporalSchema,
  resolution: resolutionSchema,
  /** On the CPU, where the metrics were found to allow it. @default 'fp32' */
  cpuPrecision: Type.Optional(cpuPrecisionSchema),
  training: Type.Optional(figures),
  metrics: Type.Optional(figures)
})
export type Manifest = Static<typeof manifestSchema>

/** The part of a manifest that clients see. */
export const modelSummarySchema = Type.Object({
  name: manifestSchema.properties.name,
  title: manifestSchema.properties.title,
  license: manifestSchema.properties.license,
  nonCommercial: manifestSchema.properties.nonCommercial,
  quantity: manifestSchema.properties.quantity,
  digest: Type.String({ description: 'SHA-256 of the weights' }),
  temporal: temporalSchema,
  resolution: resolutionSchema
})
export type ModelSummary = Static<typeof modelSummarySchema>

export function modelSummary(manifest: Manifest): ModelSummary {
  const { name, title, license, nonCommercial, quantity, temporal, resolution } = manifest
  return {
    name,
    title,
    license,
    nonCommercial,
    quantity,
    digest: manifest.weights.sha256,
    temporal,
    resolution
  }
}
