import { noPace } from '../../src/metering/engine-pace.ts'
import type { FrameEngine } from '../../src/frame-engine.ts'
import type { SessionEvent } from '../../src/session.ts'

/** Of what the model of `echoEngine` takes. */
export const echoModel = 'echo'

/** Answers every frame at once with the same message, which it does not write to, so that only what lies around it takes time. */
export function echoEngine(result: Uint8Array): FrameEngine {
  const emits = new Map<string, (event: SessionEvent) => void>()
  const model = {
    ...{ name: echoModel, title: 'Echo', license: 'Apache-2.0', nonCommercial: false },
    digest: '0'.repeat(64),
    quantity: 'relative-inverse-depth' as const,
    temporal: { modes: ['ovda' as const], cacheSizes: [8], defaultCacheSize: 8, attendSelf: false },
    resolution: { multiple: 14, lowerBound: 14, maxArea: 196 },
    sessionBytes: { ovda: 1 }
  }
  const context = {
    ...{ epoch: 0, framesSeen: 0, digest: null, frames: [] },
    ...{ seam: null, latents: null, notes: null }
  }
  return {
    offer: { models: [model], capacityBytes: 1_000_000, device: 'none' },
    pace: noPace,
    open: async (id, { mode }, emit) => {
      emits.set(id, emit)
      const settled = { model: echoModel, modelDigest: model.digest, mode, cacheSize: 8 }
      const replay = { keepsFirst: false, recent: 21 }
      return { ...settled, epoch: 0, continuity: null, replay, maxInFlight: 1000, bytes: 1 }
    },
    submit: (id, { header }) => emits.get(id)?.({ type: 'result', seq: header.seq, message: result }),
    flush: () => {},
    reset: () => {},
    update: () => {},
    context: async () => context,
    halt: async () => ({ context, goOn: () => {} }),
    whole: async () => null,
    position: () => null,
    park: async () => 0,
    close: async (id) => void emits.delete(id)
  }
}
