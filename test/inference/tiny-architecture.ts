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

/** The same with a convolutional encoder; tiny-conv of models/leadline_models/architecture.py. */
export const tinyConvArchitecture: Architecture = {
  patch: 16,
  embedDim: 40,
  blocks: 1,
  encoderHeads: 2,
  taps: [0, 1, 2, 3],
  mlpRatio: 2,
  features: 64,
  outChannels: [16, 24, 32, 32],
  temporalHeads: 8,
  positionTable: [1, 1],
  encoder: 'conv',
  conv: { stem: 8, widths: [8, 16, 24, 40], depths: [1, 0, 1, 1], fineFeatures: 32, lastFeatures: 12 }
}
