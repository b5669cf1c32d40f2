import { expect, onTestFinished, test } from 'vitest'
import { Keys } from '../../../src/sessions/redis/keys.ts'
import { encodeEvent } from '../../../src/sessions/redis/link-message.ts'
import { RedisWorkerLink } from '../../../src/sessions/redis/redis-worker-link.ts'
import { SessionWorker } from '../../../src/sessions/worker/session-worker.ts'
import { MailboxWriter, mailboxLimits } from '../../../src/sessions/redis/mailbox-writer.ts'
import { Outbox } from '../../../src/sessions/redis/outbox.ts'
import { RedisConnections } from '../../../src/sessions/redis/redis-connections.ts'
import { TurnQueues } from '../../../src/sessions/redis/turns.ts'
import { eventually } from '../../helpers/eventually.ts'
import { HashEngine, testFrame } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { redisCell } from '../../helpers/redis-cell.ts'
import { randomPrefix, startRedis } from '../../helpers/redis.ts'
import { ResumingClient } from '../../helpers/resuming-client.ts'

/** Redis comes back without what it has answered since it saved: after a crash, or as a replica that was behind. */

/** A mailbox that runs out is made anew, with all that is in it. */
const limits = { ...mailboxLimits, ttlMs: 600_000 }
const route = { sessionId: 'a', workerId: 'w', token: 1 }

async function start() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = await RedisConnections.open(server.url, quietLog())
  onTestFinished(() => redis.close())
  const keys = new Keys(randomPrefix())
  /** Numbers of the entries of a stream. */
  const numbers = async (stream: string): Promise<number[]> => {
    const entries = await redis.frames.xrange(stream, '-', '+').catch(() => [])
    return entries.map(([id]) => Number(id.split('-')[1]))
  }
  const save = () => redis.control.save()
  const crash = async () => {
    await server.kill()
    await server.restart({ withData: true })
    await eventually(() => redis.isUp).toBe(true)
  }
  return { redis, keys, numbers, save, crash }
}

type Started = Awaited<ReturnType<typeof start>>

function mailboxOf({ redis, keys }: Started) {
  const turns = new TurnQueues({ redis, keys, log: quietLog() })
  onTestFinished(() => turns.close())
  const writer = new MailboxWriter({
    ...{ redis, keys, turns, route, limits, heard: () => 0, bell: keys.bell('g') },
    onFailure: (error) => expect.unreachable(error.message)
  })
  onTestFinished(() => writer.stop())
  const send = (seq: number) => writer.send({ type: 'frame', frame: testFrame(seq, Buffer.from('x')) })
  return { send, stream: keys.mailbox('a', 'w'), again: () => {} }
}

function outboxOf({ redis, keys }: Started) {
  const stream = keys.outbound('a', 'w', 1)
  const outbox = new Outbox(
    redis,
    { outbound: stream, ended: keys.ended(stream) },
    { token: 1, ttlMs: 30_000, bell: null }
  )
  const message = (seq: number) => encodeEvent({ type: 'drop', seq, reason: 'superseded' }, 0)
  return { send: (seq: number) => outbox.push(message(seq)), stream, again: () => outbox.resend() }
}

test.each([
  ['frames that no worker has taken', mailboxOf],
  ['events that no gateway has read', outboxOf]
])('%s are there again before what follows them', async (_what, make) => {
  const started = await start()
  const { numbers, save, crash } = started
  const { send, stream } = make(started)
  send(1)
  await eventually(() => numbers(stream)).toEqual([1])
  await save()
  send(2)
  await eventually(() => numbers(stream)).toEqual([1, 2])
  await crash()
  expect(await numbers(stream)).toEqual([1])
  send(3)
  await eventually(async () => (await numbers(stream)).at(-1)).toBe(3)
  expect(await numbers(stream)).toEqual([1, 2, 3])
})

test.each([
  ['frames that no worker has taken', mailboxOf],
  ['events that no gateway has read', outboxOf]
])('%s are there again where nothing follows', async (_what, make) => {
  const started = await start()
  const { numbers, save, crash } = started
  const { send, stream, again } = make(started)
  send(1)
  await eventually(() => numbers(stream)).toEqual([1])
  await save()
  send(2)
  await eventually(() => numbers(stream)).toEqual([1, 2])
  await crash()
  // As the link does, ten times a second.
  again()
  await eventually(() => numbers(stream)).toEqual([1, 2])
})

test('the row of a session that was being opened is told again that it is open, with its memory', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const { keys, log, connect, startGateway } = redisCell(server.url)
  const { redis, store } = await connect()
  const settle = store.settleSession.bind(store)
  let saved: Promise<unknown> | null = null
  store.settleSession = async (...settled) => {
    await (saved ??= redis.control.save())
    return settle(...settled)
  }
  const link = new RedisWorkerLink({ redis, keys, log })
  const worker = new SessionWorker({ engine: new HashEngine(), log, store, link, workerId: 'w' })
  await worker.start()
  onTestFinished(() => worker.close())
  const { gateway } = await startGateway({ graceMs: 30_000 })
  const client = await ResumingClient.open(gateway)
  client.send(0)
  await client.received(1)
  await server.kill()
  await server.restart({ withData: true })
  const row = () => store.session(client.id).catch(() => null)
  await eventually(row).toMatchObject({ state: 'attached', deviceBytes: 100, epoch: 0 })
  await client.handle.detach()
  await client.resumeInTime(gateway)
  client.send(1)
  await client.received(2)
  expect(client.witness()).toHaveLength(0)
})
