import type { Manifest } from '../../../manifest.ts'

/**
 * The model that the fake executor offers, so that everything above it runs without weights. Its network sizes are small:
 * a source of 56x28 reaches it unchanged, whatever is larger is shrunk to about that.
 */
export const fakeManifest: Manifest = {
  schema: 1,
  name: 'fake',
  title: 'No network: a hash chain of the frames',
  license: 'Apache-2.0',
  nonCommercial: false,
  quantity: 'relative-inverse-depth',
  weights: { file: 'none', sha256: '0'.repeat(64), bytes: 0, dtype: 'none' },
  architecture: {
    family: 'video-depth-anything',
    patch: 14,
    embedDim: 1,
    blocks: 4,
    encoderHeads: 1,
    taps: [0, 1, 2, 3],
    mlpRatio: 1,
    features: 1,
    outChannels: [1, 1, 1, 1],
    temporalHeads: 1,
    positionTable: [1, 1]
  },
  temporal: {
    modes: ['ovda', 'vda-stream', 'vda-window', 'single'],
    cacheSizes: [8, 16],
    defaultCacheSize: 16,
    attendSelf: false
  },
  resolution: { multiple: 14, lowerBound: 28, maxArea: 6272 }
}
