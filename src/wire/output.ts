import type { Static } from 'typebox'
import Type from 'typebox'

/** How depth maps are handed out: the vocabulary of streams, images and clips. */

export const outputFormats = ['u16', 'f16', 'f32', 'png16', 'jpeg', 'webp'] as const
export const outputSizes = ['network', 'source'] as const
const compressions = ['none', 'deflate'] as const
export const colormaps = ['turbo', 'inferno', 'magma', 'spectral', 'gray'] as const

/** Of streams, images and clips. */
export const refineDescription =
  'Edges of depth lie where those of the picture are, and copy some of its texture where depth is wrong'

export const outputSchema = Type.Object(
  {
    format: Type.Optional(Type.Enum(outputFormats, { description: 'Encoding of a depth map; default u16' })),
    size: Type.Optional(
      Type.Enum(outputSizes, { description: 'Resolution of a depth map; default network' })
    ),
    refine: Type.Optional(
      Type.Boolean({ description: `${refineDescription}; needs size source; default false` })
    ),
    compression: Type.Optional(
      Type.Enum(compressions, {
        description: 'For u16, without loss; deflate takes a third to a half of the bytes; default none'
      })
    ),
    colormap: Type.Optional(Type.Enum(colormaps, { description: 'For jpeg and webp; default turbo' })),
    quality: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: 'For jpeg and webp; default 85' })
    )
  },
  { additionalProperties: false }
)

export type OutputConfig = Static<typeof outputSchema>
export type OutputFormat = (typeof outputFormats)[number]
export type Colormap = (typeof colormaps)[number]

export interface OutputOptions {
  format: OutputFormat
  size: (typeof outputSizes)[number]
  refine: boolean
  compression: (typeof compressions)[number]
  colormap: Colormap
  quality: number
}

export function outputOptions(config: OutputConfig = {}): OutputOptions {
  return {
    format: config.format ?? 'u16',
    size: config.size ?? 'network',
    refine: config.refine ?? false,
    compression: config.compression ?? 'none',
    colormap: config.colormap ?? 'turbo',
    quality: config.quality ?? 85
  }
}

/** How depth maps are handed out from here on. */
export interface OutputChange {
  id: string
  output: OutputOptions
}

/** What is wrong with wishes that are each allowed; null when nothing is. */
export function outputConflict({ refine, size, compression, format }: OutputOptions): string | null {
  if (refine && size !== 'source')
    return `refine is true and size is "${size}"; refined depth is as large as the frame: set size to "source", or leave refine out`
  if (compression !== 'none' && format !== 'u16')
    return `compression is "${compression}" and format is "${format}"; only u16 is compressed: ask for it, or leave compression out`
  return null
}
