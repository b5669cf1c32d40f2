import { describe, expect, onTestFinished, test } from 'vitest'
import { Deferred } from '../../src/deferred.ts'
import { LeadlineError } from '../../src/errors.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import type { ResumingClient } from '../helpers/resuming-client.ts'
import { continuities, draining } from './moving-cell.ts'
import type { MovingCell } from './moving-cell.ts'

/** The same where one of the two workers dies on the way, or cannot have the session. */
export function movingFailuresSuite(name: string, makeCell: () => Promise<MovingCell>): void {
  describe(`moving that fails, ${name}`, { timeout: 60_000 }, () => {
    test('what waits is stepped here after all where the other worker cannot open the session', async () => {
      const cell = await makeCell()
      const { client, stuck, first, second } = await toBeStuck(cell)
      first.engine.hold()
      client.send(1, 2)
      await first.waiting(client, 2)
      const drained = first.drain()
      await stuck.reached
      client.send(3)
      client.handle.flush('behind')
      second.kill()
      first.engine.resume()
      await client.received(4)
      await client.log.until((events) => events.some(({ type }) => type === 'flushed'))
      expect(continuities(client)).toEqual([])
      await cell.startWorker(new HashEngine())
      await drained
      client.send(4)
      await client.expectAll()
    })

    test('a worker that dies as a session stands still leaves what waits to its gateway', async () => {
      const cell = await makeCell()
      const { client, stuck, first } = await toBeStuck(cell)
      first.engine.hold()
      client.send(1, 2)
      await first.waiting(client, 2)
      void first.drain()
      await stuck.reached
      client.send(3)
      first.kill()
      stuck.release()
      await client.expectAll()
    })

    test('a session that another worker cannot open goes on, and moves to one that can', async () => {
      const cell = await makeCell()
      const { clients, first } = await draining(cell, 1, {}, new UnwillingEngine())
      const [client] = clients as [ResumingClient]
      client.send(0)
      const drained = first.drain()
      await eventually(() => UnwillingEngine.refusals).toBeGreaterThan(0)
      client.send(1, 2)
      await client.received(3)
      expect(continuities(client)).toEqual([])
      await cell.startWorker(new HashEngine())
      await drained
      client.send(3)
      await client.expectAll()
    })

    test('a worker that dies with a session on its way to it costs a moment', async () => {
      const cell = await makeCell()
      const { client, stuck, first, second } = await toBeStuck(cell)
      const drained = first.drain()
      await stuck.reached
      client.send(1)
      second.kill()
      await client.received(2)
      expect(continuities(client)).toEqual([])
      await cell.startWorker(new HashEngine())
      await drained
      client.send(2)
      await client.expectAll()
    })

    test('a worker whose time is over as a session stands still leaves it to another, with what waits', async () => {
      const cell = await makeCell()
      const { client, stuck, first, second } = await toBeStuck(cell)
      void first.drain()
      await stuck.reached
      client.send(1, 2)
      const third = await cell.startWorker(new HashEngine())
      await first.close()
      stuck.release()
      client.send(3)
      await client.expectAll()
      expect([second.id, third.id]).toContain((await cell.store.session(client.id))?.workerId)
    })

    test('a worker that dies before it could say where its session went is not waited for', async () => {
      const { clients, first, second } = await draining(await makeCell(), 1)
      const [client] = clients as [ResumingClient]
      client.send(0)
      await client.received(1)
      second.onCommit(() => first.kill())
      void first.drain()
      await eventually(() => second.engine.sessions.size).toBe(1)
      client.send(1)
      await client.expectAll()
    })
  })
}

/** One that can open nothing. */
class UnwillingEngine extends HashEngine {
  static refusals = 0

  override async open(): Promise<never> {
    UnwillingEngine.refusals += 1
    throw new LeadlineError('EXECUTOR_FAILED', 'the device is not well')
  }
}

/** A session with one outcome; the worker that it would move to opens nothing before it is told to. */
async function toBeStuck(cell: MovingCell) {
  const stuck = new StuckEngine()
  const { clients, ...rest } = await draining(cell, 1, {}, stuck)
  // Before the workers are closed.
  onTestFinished(() => stuck.release())
  const [client] = clients as [ResumingClient]
  client.send(0)
  await client.received(1)
  return { ...rest, client, stuck }
}

/** One that opens no session before it is told to. */
class StuckEngine extends HashEngine {
  readonly #reached = new Deferred<void>()
  readonly #released = new Deferred<void>()

  get reached(): Promise<void> {
    return this.#reached.promise
  }

  release(): void {
    this.#released.resolve()
  }

  override async open(...args: Parameters<HashEngine['open']>) {
    this.#reached.resolve()
    await this.#released.promise
    return super.open(...args)
  }
}
