import { randomUUID } from 'node:crypto'
import type { Clip } from '../../src/clips/clip.ts'

/** A clip as it is when it was taken. */
export function testClip(fields: Partial<Clip> = {}): Clip {
  return {
    ...{ id: randomUUID(), state: 'queued', model: 'tiny', mode: 'ovda', cacheSize: null },
    ...{ sceneCut: true, stabilize: false, steadyRange: false, refine: false, colormap: 'turbo' },
    ...{ results: ['npz'], video: { width: 84, height: 56, fps: 25 } },
    ...{ progress: { frames: 0, frameCount: 12 }, warnings: [], failure: null },
    createdAt: new Date().toISOString(),
    ...fields
  }
}
