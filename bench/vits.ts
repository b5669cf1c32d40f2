import type { Architecture } from '../src/manifest.ts'

/** Video Depth Anything, Small. */
export const vits: Architecture = {
  patch: 14,
  embedDim: 384,
  blocks: 12,
  encoderHeads: 6,
  taps: [2, 5, 8, 11],
  mlpRatio: 4,
  features: 64,
  outChannels: [48, 96, 192, 384],
  temporalHeads: 8,
  positionTable: [37, 37]
}
