import { afterEach, expect, test, vi } from 'vitest'
import { noSessions } from '../../src/api/no-sessions.ts'
import { depthOfImage } from '../../src/api/single-depth.ts'
import type { SessionEvent } from '../../src/session.ts'
import type { SessionHandle, Sessions } from '../../src/sessions/index.ts'
import { hashModel, hashOptions } from '../helpers/hash-engine.ts'

afterEach(() => void vi.useRealTimers())

/** A session that says this before anybody has heard that it is open, and then no more. */
function sessionThatSays(...events: SessionEvent[]): { sessions: Sessions; closed: () => number } {
  let closed = 0
  const handle: SessionHandle = {
    ...{ id: 's', resumeToken: '', offer: hashModel, hasRoom: true },
    opened: {
      ...{ model: 'hash', modelDigest: '', mode: 'single', cacheSize: 8, epoch: 0 },
      ...{ continuity: null, replay: { keepsFirst: false, recent: 0 }, maxInFlight: 1, bytes: 0 }
    },
    ...{ graceMs: 0, options: hashOptions, settle: () => undefined, ack: () => undefined },
    detach: () => Promise.resolve(),
    submit: () => undefined,
    flush: () => undefined,
    reset: () => undefined,
    update: () => undefined,
    checkpoint: () => undefined,
    close: async () => void (closed += 1)
  }
  const open: Sessions['open'] = async (_, onEvent) => {
    for (const event of events) onEvent(event)
    return handle
  }
  return { sessions: { ...noSessions, open }, closed: () => closed }
}

const image = { codec: 'jpeg', bytes: new Uint8Array(10) } as const

test('a session that fails as soon as it is open fails the image by its name', async () => {
  const { sessions, closed } = sessionThatSays({
    ...{ type: 'error', seq: null, code: 'EXECUTOR_FAILED', detail: 'gone' }
  })
  const depth = depthOfImage(sessions, hashOptions, image, new AbortController().signal)
  await expect(depth).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
  expect(closed()).toBe(1)
})

test('a session that never answers is given up and closed', async () => {
  vi.useFakeTimers()
  const { sessions, closed } = sessionThatSays()
  const depth = depthOfImage(sessions, hashOptions, image, new AbortController().signal)
  const failure = expect(depth).rejects.toMatchObject({ code: 'WORKER_LOST' })
  await vi.advanceTimersByTimeAsync(60_000)
  await failure
  expect(closed()).toBe(1)
})
