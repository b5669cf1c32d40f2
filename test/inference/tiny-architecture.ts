import type { Architecture } from '../../src/manifest.ts'

/** The smallest network that keeps every part: GroupNorm(32) asks for channels divisible by 32. */
export const tinyArchitecture: Architecture = {
  patch: 14,
  embedDim: 64,
  blocks: 6,
  encoderHeads: 1,
  taps: [1, 2, 4, 5],
  mlpRatio: 2,
  features: 32,
  outChannels: [16, 16, 32, 96],
  temporalHeads: 8,
  positionTable: [5, 5]
}
