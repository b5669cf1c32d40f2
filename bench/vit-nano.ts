import type { Architecture } from '../src/manifest.ts'

/** A vision transformer of the size of leadline-nano; preset vit-nano of models/leadline_models/architecture.py. */
export const vitNano: Architecture = {
  patch: 14,
  embedDim: 192,
  blocks: 6,
  encoderHeads: 3,
  taps: [1, 2, 4, 5],
  mlpRatio: 4,
  features: 32,
  outChannels: [32, 32, 64, 128],
  temporalHeads: 8,
  positionTable: [12, 12]
}
