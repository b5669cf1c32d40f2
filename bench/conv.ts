import type { Architecture } from '../src/manifest.ts'

/** The convolutional encoder of the size of leadline-nano; preset conv of models/leadline_models/architecture.py. */
export const conv: Architecture = {
  patch: 16,
  embedDim: 224,
  blocks: 2,
  encoderHeads: 4,
  taps: [0, 1, 2, 3],
  mlpRatio: 2,
  features: 64,
  outChannels: [32, 32, 64, 128],
  temporalHeads: 8,
  positionTable: [1, 1],
  encoder: 'conv',
  conv: { stem: 24, widths: [48, 96, 160, 224], depths: [1, 2, 3, 1], fineFeatures: 32, lastFeatures: 24 }
}
