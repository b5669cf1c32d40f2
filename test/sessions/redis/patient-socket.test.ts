import { expect, onTestFinished, test } from 'vitest'
import { RedisConnections } from '../../../src/sessions/redis/redis-connections.ts'
import { eventually } from '../../helpers/eventually.ts'
import { startLinkProxy } from '../../helpers/link-proxy.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { startRedis } from '../../helpers/redis.ts'

/** Longer than any connection waits for an answer. */
const busyMs = 3000

async function connections() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const proxy = await startLinkProxy(server.port)
  onTestFinished(() => proxy.stop())
  const open = async (url: string) => {
    const redis = await RedisConnections.open(url, quietLog())
    onTestFinished(() => redis.close())
    return redis
  }
  return { server, proxy, open }
}

test('a process that is busy for longer than an answer may take hears it, and keeps its connections', async () => {
  const { open, server } = await connections()
  const redis = await open(server.url)
  const waiting = redis.waiting().duplicate()
  onTestFinished(() => waiting.disconnect())
  const all = [redis.control, redis.frames, redis.blocking(), waiting]
  await Promise.all(all.map((one) => eventually(() => one.status).toBe('ready')))
  let closed = 0
  for (const one of all) one.on('close', () => (closed += 1))
  // From here on timers are looked at before sockets.
  await new Promise((resolve) => setImmediate(resolve))
  const answers = all.map((one) => one.ping())
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busyMs)
  expect(await Promise.all(answers)).toEqual(all.map(() => 'PONG'))
  expect(closed).toBe(0)
})

test('a connection on which no answer comes is given up', async () => {
  const { open, proxy } = await connections()
  const redis = await open(`redis://127.0.0.1:${proxy.port}`)
  proxy.halfOpen()
  await expect(redis.control.ping()).rejects.toThrow()
  await eventually(() => redis.control.status).toBe('ready')
  expect(await redis.control.ping()).toBe('PONG')
})
