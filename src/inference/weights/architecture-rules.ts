import type { Architecture } from '../../manifest.ts'

/** Of the third map of a convolutional encoder: its stem halves the picture, and so does each stage. */
const CONV_PATCH = 16

/** What both sides of the network's input are multiples of: the patch, or the coarsest stride of a convolutional encoder. */
export function sizeMultiple({ patch, conv }: Pick<Architecture, 'patch' | 'conv'>): number {
  return conv === undefined ? patch : 2 * patch
}

/** Channels of the features that the four motion modules take. */
export function motionChannels({
  outChannels,
  features,
  conv
}: Architecture): [number, number, number, number] {
  const [, , deep, deepest] = outChannels
  return [deep!, deepest!, features, conv?.fineFeatures ?? features]
}

/** What no schema says of an architecture: why it cannot be built, or null. */
export function architectureFault({ encoder, conv, patch, embedDim }: Architecture): string | null {
  if (encoder !== 'conv') return conv === undefined ? null : 'conv is given, but encoder is not conv'
  if (conv === undefined) return 'conv is missing, which encoder conv needs'
  if (patch !== CONV_PATCH)
    return `patch is ${patch}; with encoder conv it is ${CONV_PATCH}, the stride of the third map`
  const deepest = conv.widths.at(-1)
  return embedDim === deepest
    ? null
    : `embedDim is ${embedDim}; with encoder conv it is the last of conv.widths, ${deepest}`
}
