import { once } from 'node:events'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { LeadlineError } from '../../../src/errors.ts'
import { Keys } from '../../../src/sessions/redis/keys.ts'
import type { CommandHandler, SessionCommand, WorkerEvent } from '../../../src/sessions/link.ts'
import type { MailboxLimits } from '../../../src/sessions/redis/mailbox-writer.ts'
import { RedisConnections } from '../../../src/sessions/redis/redis-connections.ts'
import { RedisGatewayLink } from '../../../src/sessions/redis/redis-gateway-link.ts'
import type { LinkTimes } from '../../../src/sessions/redis/redis-worker-link.ts'
import { RedisWorkerLink } from '../../../src/sessions/redis/redis-worker-link.ts'
import { hashAccount, hashOptions, testFrame } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { Received } from '../../helpers/received.ts'
import { randomPrefix, startRedis } from '../../helpers/redis.ts'
import type { RedisServer } from '../../helpers/redis.ts'

let server: RedisServer
const patient = { timeout: 90_000, interval: 10 }
const route = { sessionId: 'a', workerId: 'w', token: 1 }

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

interface Ends {
  redis: RedisConnections
  keys: Keys
  gateway: RedisGatewayLink
  /** Turns of this worker in BullMQ, running or done. */
  turns(): Promise<number>
  startWorker(onCommand?: CommandHandler, times?: Partial<LinkTimes>): Promise<RedisWorkerLink>
}

async function makeEnds(limits: Partial<MailboxLimits> = {}): Promise<Ends> {
  const keys = new Keys(randomPrefix())
  const log = quietLog()
  const redis = await RedisConnections.open(server.url, log)
  onTestFinished(() => redis.close())
  const gateway = new RedisGatewayLink({ redis, keys, log, limits })
  onTestFinished(() => gateway.close())
  const queue = new Queue('w', { connection: redis.control, prefix: keys.turnPrefix() })
  onTestFinished(() => queue.close())
  return {
    ...{ redis, keys, gateway },
    turns: async () => Object.values(await queue.getJobCounts()).reduce((sum, count) => sum + count, 0),
    startWorker: async (onCommand, times = {}) => {
      const worker = new RedisWorkerLink({ redis, keys, log, times })
      onTestFinished(() => worker.close())
      const echo: CommandHandler = (sessionId, token, command) => {
        if (command.type !== 'frame') return
        const { header, payload } = command.frame
        worker.emit(sessionId, token, { type: 'result', seq: header.seq, message: payload })
      }
      await worker.listen('w', onCommand ?? echo, () => {})
      return worker
    }
  }
}

function seqs(events: readonly WorkerEvent[]): number[] {
  return events.map((event) => (event.type === 'result' ? event.seq : NaN))
}

test('a live stream costs one turn, however many frames it has', async () => {
  const { gateway, startWorker, turns } = await makeEnds()
  await startWorker()
  const events = new Received<WorkerEvent>()
  const link = gateway.attach(route, events.push, () => {})
  for (let seq = 0; seq < 100; seq++) {
    link.send({ type: 'frame', frame: testFrame(seq, Buffer.alloc(1000)) })
    await events.until((all) => all.length === seq + 1)
  }
  expect(await turns()).toBe(1)
})

test('a frame that is sent just as its turn ends is never left behind', async () => {
  const { gateway, startWorker, turns } = await makeEnds()
  await startWorker(undefined, { lingerMs: 1, tickMs: 1 })
  const perSession = 120
  await Promise.all(
    Array.from({ length: 8 }, async (_, s) => {
      const events = new Received<WorkerEvent>()
      const link = gateway.attach({ ...route, sessionId: `s${s}` }, events.push, (error) => {
        throw error
      })
      let seq = 0
      while (seq < perSession) {
        // One to three at once, then a pause around the linger: the appends fall before, into and after the end.
        for (let burst = 0; burst <= seq % 3; burst++) {
          link.send({ type: 'frame', frame: testFrame(seq++, Buffer.from('x')) })
        }
        await events.until((all) => all.length === seq)
        for (let spin = 0; spin < (seq * 7 + s) % 40; spin++)
          await new Promise((resolve) => setImmediate(resolve))
        if (seq % 5 === 0) await new Promise((resolve) => setTimeout(resolve, seq % 4))
      }
      expect(seqs(events.all)).toEqual(Array.from({ length: seq }, (__, n) => n))
    })
  )
  // BullMQ keeps the last hundred: many turns have ended while the streams went on.
  expect(await turns()).toBeGreaterThan(80)
})

test('a mailbox has no room to speak of while its worker leaves megabytes in it', async () => {
  const { gateway, startWorker } = await makeEnds()
  const link = gateway.attach(
    route,
    () => {},
    () => {}
  )
  expect(link.hasRoom).toBe(true)
  for (let seq = 0; seq < 5; seq++) link.send({ type: 'frame', frame: testFrame(seq, Buffer.alloc(2 ** 20)) })
  expect(link.hasRoom).toBe(false)
  await startWorker()
  await expect.poll(() => link.hasRoom, patient).toBe(true)
})

test('a mailbox that nobody empties ends its session instead of losing a frame', async () => {
  const { gateway } = await makeEnds({ maxEntries: 3 })
  const failures = new Received<LeadlineError>()
  const link = gateway.attach(route, () => {}, failures.push)
  for (let seq = 0; seq < 6; seq++) link.send({ type: 'frame', frame: testFrame(seq, Buffer.from('x')) })
  await failures.until((all) => all.length > 0)
  expect(failures.all).toMatchObject([{ code: 'FLOW_CONTROL' }])
})

test('the bytes of a mailbox are limited too, but one frame always fits', async () => {
  const { gateway, startWorker } = await makeEnds({ maxBytes: 100 })
  const outcomes = new Received<string>()
  const link = gateway.attach(
    route,
    (event) => outcomes.push(event.type),
    (error) => outcomes.push(error.code)
  )
  await startWorker()
  link.send({ type: 'frame', frame: testFrame(1, Buffer.alloc(500)) })
  await outcomes.until((all) => all.length === 1)
  link.send({ type: 'frame', frame: testFrame(2, Buffer.alloc(500)) })
  link.send({ type: 'frame', frame: testFrame(3, Buffer.alloc(500)) })
  await outcomes.until((all) => all.includes('FLOW_CONTROL'))
  expect(outcomes.all[0]).toBe('result')
})

test('commands that vanished from the mailbox end the session on both sides', async () => {
  const { gateway, keys, redis, startWorker } = await makeEnds()
  const commands = new Received<string>()
  await startWorker((_, __, command) => commands.push(command.type))
  const events = new Received<WorkerEvent>()
  gateway.attach(route, events.push, () => {}).send({ type: 'reset' })
  await commands.until((all) => all.length === 1)
  await redis.control.xadd(keys.mailbox('a', 'w'), '1-9', 'h', Buffer.from([3]), 'b', '')
  await events.until((all) => all.length === 1)
  expect(events.all).toMatchObject([{ type: 'error', seq: null, code: 'STORE_UNAVAILABLE' }])
  expect(commands.all).toEqual(['reset', 'close'])
})

test('events that vanished on their way are noticed by the gateway', async () => {
  const { gateway, keys, redis } = await makeEnds()
  const failures = new Received<LeadlineError>()
  gateway.attach(route, () => {}, failures.push)
  await redis.control.xadd(keys.outbound('a', 'w', 1), '1-2', 'h', Buffer.alloc(13), 'b', '')
  await failures.until((all) => all.length === 1)
  expect(failures.all).toMatchObject([{ code: 'STORE_UNAVAILABLE' }])
})

test('a stream that its gateway reads no more is told to the worker, and fails no read that names it still', async () => {
  const { gateway, keys, redis, startWorker } = await makeEnds()
  const worker = await startWorker()
  const events = new Received<WorkerEvent>()
  const link = gateway.attach(route, events.push, () => {})
  link.send({ type: 'frame', frame: testFrame(1, Buffer.from('x')) })
  await events.until((all) => all.length === 1)
  const outbound = keys.outbound('a', 'w', 1)
  // As a read that was on its way when the gateway ended the stream.
  const reader = redis.blocking()
  await once(reader, 'ready')
  const reading = reader.xread('BLOCK', 0, 'STREAMS', outbound, 'other', '1-9', '0')
  link.detach()
  await expect.poll(() => redis.control.exists(keys.ended(outbound)), patient).toBe(1)
  expect(await redis.control.type(outbound)).toBe('none')
  const late = redis.blocking()
  await once(late, 'ready')
  const readingLate = late.xread('BLOCK', 0, 'STREAMS', outbound, 'other', '1-9', '0')
  worker.emit('a', 1, { type: 'drop', seq: 2, reason: 'closed' })
  await redis.control.xadd('other', '1-1', 'h', 'x')
  for (const read of [reading, readingLate]) expect(await read).toEqual([['other', [['1-1', ['h', 'x']]]]])
  expect(await redis.control.exists(outbound)).toBe(0)
})

test('read messages are removed and every stream has a life', async () => {
  const { gateway, keys, redis, startWorker } = await makeEnds()
  await startWorker()
  const events = new Received<WorkerEvent>()
  const link = gateway.attach(route, events.push, () => {})
  for (let seq = 0; seq < 200; seq++) {
    link.send({ type: 'frame', frame: testFrame(seq, Buffer.alloc(100)) })
    await events.until((all) => all.length === seq + 1)
  }
  for (const key of [keys.mailbox('a', 'w'), keys.outbound('a', 'w', 1)]) {
    await expect.poll(() => redis.control.xlen(key), patient).toBeLessThan(64)
    expect(await redis.control.pttl(key)).toBeGreaterThan(0)
  }
})

test('a worker that closes leaves no key behind', async () => {
  const { gateway, keys, redis, startWorker } = await makeEnds()
  const worker = await startWorker()
  const events = new Received<WorkerEvent>()
  const link = gateway.attach(route, events.push, () => {})
  link.send({ type: 'frame', frame: testFrame(1, Buffer.from('x')) })
  await events.until((all) => all.length === 1)
  await worker.close()
  link.detach()
  await gateway.close()
  await expect
    .poll(() => redis.control.keys(`${keys.workers().replace('workers', '')}*`), patient)
    .toEqual([])
})

test('an open that brings a context is sent again once, and one that brings none until it is answered', async () => {
  const { gateway, keys, redis, startWorker } = await makeEnds({ remindMs: 100 })
  const bare = { type: 'open', options: hashOptions, account: hashAccount, resumable: true } as const
  const context = {
    ...{ epoch: 1, framesSeen: 1, digest: null, frames: [testFrame(0, Buffer.from([7]))] },
    ...{ seam: null, latents: Buffer.alloc(1000, 3), notes: null }
  }
  const inbox = keys.inbox('w')
  const sent = async (wanted: string) => {
    const entries = await redis.control.xrangeBuffer(inbox, '-', '+')
    return entries.filter(([, [, head]]) => {
      const { sessionId } = JSON.parse(String(head)) as { sessionId: string }
      return sessionId === wanted
    })
  }
  for (const [sessionId, open] of [
    ['heavy', { ...bare, past: { context, told: [], after: 0 } }],
    ['light', bare]
  ] as const) {
    const { send } = gateway.attach(
      { ...route, sessionId },
      () => {},
      (error) => {
        throw error
      }
    )
    send(open)
  }
  await expect.poll(async () => (await sent('heavy')).length, patient).toBe(2)
  const before = (await sent('light')).length
  await expect.poll(async () => (await sent('light')).length, patient).toBeGreaterThan(before + 3)
  const [first, ...others] = await sent('heavy')
  expect(others.length).toBe(1)
  // The first is lost: the second has all of it.
  await redis.control.xdel(inbox, String(first?.[0]))
  const opened = new Received<SessionCommand>()
  await startWorker((sessionId, _, command) => sessionId === 'heavy' && opened.push(command))
  const [command] = await opened.until((all) => all.length > 0)
  expect(command).toMatchObject({ type: 'open', past: { context: { latents: context.latents } } })
})
