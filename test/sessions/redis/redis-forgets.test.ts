import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { Keys } from '../../../src/sessions/redis/keys.ts'
import type { SessionCommand, WorkerEvent } from '../../../src/sessions/link.ts'
import { RedisConnections } from '../../../src/sessions/redis/redis-connections.ts'
import { RedisGatewayLink } from '../../../src/sessions/redis/redis-gateway-link.ts'
import { RedisWorkerLink } from '../../../src/sessions/redis/redis-worker-link.ts'
import { hashAccount, hashOptions, testFrame } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { Received } from '../../helpers/received.ts'
import { randomPrefix, startRedis } from '../../helpers/redis.ts'

/** A Redis that forgets everything takes no message with it: both ends keep what the other has not read. */

test('messages arrive once and in order though Redis is emptied again and again', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = await RedisConnections.open(server.url, quietLog())
  onTestFinished(() => redis.close())
  const keys = new Keys(randomPrefix())
  const gateway = new RedisGatewayLink({ redis, keys, log: quietLog(), limits: { remindMs: 200 } })
  onTestFinished(() => gateway.close())
  const worker = new RedisWorkerLink({ redis, keys, log: quietLog(), times: { lingerMs: 50, tickMs: 10 } })
  onTestFinished(() => worker.close())
  const taken: SessionCommand[] = []
  await worker.listen(
    'w',
    (id, token, command) => {
      taken.push(command)
      if (command.type !== 'frame') return
      const { header, payload } = command.frame
      worker.emit(id, token, { type: 'result', seq: header.seq, message: payload })
    },
    () => {}
  )
  const events = new Received<WorkerEvent>()
  const link = gateway.attach({ sessionId: 'a', workerId: 'w', token: 1 }, events.push, (error) => {
    throw error
  })
  link.send({ type: 'open', options: hashOptions, account: hashAccount, resumable: false })
  const forgetful = new Redis(server.url)
  onTestFinished(() => forgetful.disconnect())
  let forgotten = 0
  for (let seq = 0; seq < 400; seq++) {
    link.send({ type: 'frame', frame: testFrame(seq, Buffer.alloc(5000, seq)) })
    if (seq % 8 === 7) {
      // Before, while and after they are on their way.
      if (seq % 3 === 0) await events.until((all) => all.length > seq - 4)
      await forgetful.flushall()
      forgotten += 1
    }
    if (seq % 32 === 31) await events.until((all) => all.length === seq + 1)
  }
  await events.until((all) => all.length === 400)
  expect(forgotten).toBe(50)
  expect(events.all.map((event) => event.type === 'result' && event.seq)).toEqual(
    Array.from({ length: 400 }, (_, seq) => seq)
  )
  expect(taken.filter(({ type }) => type === 'frame').length).toBe(400)
  expect(taken.filter(({ type }) => type === 'open').length).toBe(1)
}, 120_000)
