import { pino } from 'pino'
import { Engine } from '../../src/inference/engine/engine.ts'
import type { FakeExecutorOptions } from '../../src/inference/executors/fake/fake.ts'
import { FakeExecutor } from '../../src/inference/executors/fake/fake.ts'
import { ownPixels } from '../../src/inference/pixels/pixel-work.ts'
import type { Manifest } from '../../src/manifest.ts'
import { WindowSession } from '../../src/inference/offline/window-session.ts'

export const testModel = 'tiny'

/** Shorter side 28 pixels, so that a frame of 56x42 pixels is inferred at 42x28. */
export const testManifest: Manifest = {
  schema: 1,
  name: testModel,
  title: 'Tiny',
  license: 'Apache-2.0',
  nonCommercial: false,
  quantity: 'relative-inverse-depth',
  weights: { file: 'none.safetensors', sha256: 'c'.repeat(64), bytes: 0, dtype: 'float32' },
  architecture: {
    family: 'video-depth-anything',
    ...{ patch: 14, embedDim: 8, blocks: 4, encoderHeads: 1, taps: [0, 1, 2, 3], mlpRatio: 4, features: 8 },
    ...{ outChannels: [8, 8, 8, 8], temporalHeads: 1, positionTable: [2, 2] }
  },
  temporal: {
    modes: ['ovda', 'vda-window', 'single'],
    cacheSizes: [4, 8],
    defaultCacheSize: 4,
    attendSelf: false
  },
  resolution: { multiple: 14, lowerBound: 28, maxArea: 28 * 84 }
}

export interface FakeEngineOptions extends FakeExecutorOptions {
  capacityBytes?: number
  maxPixels?: number
}

/** The real engine on the executor without a network, serving one tiny model. */
export function fakeEngine(options: FakeEngineOptions = {}): Engine {
  const { capacityBytes = 2 ** 24, maxPixels = 33_177_600, ...executor } = options
  return new Engine({
    openWindows: (options) => new WindowSession(options),
    executor: new FakeExecutor(executor),
    models: new Map([[testModel, { manifest: testManifest, weightsPath: '' }]]),
    capacityBytes,
    maxPixels,
    replayBytes: 0,
    parkedBytes: 0,
    pixels: ownPixels,
    log: pino({ level: 'silent' })
  })
}

/** A gate for `beforeStep`: while it is shut, no step begins. */
export function stepGate(): { beforeStep: () => Promise<void>; shut(): void; open(): void } {
  let opened: Promise<void> = Promise.resolve()
  let release: () => void = () => undefined
  return {
    beforeStep: () => opened,
    shut() {
      opened = new Promise((resolve) => (release = resolve))
    },
    open: () => release()
  }
}
