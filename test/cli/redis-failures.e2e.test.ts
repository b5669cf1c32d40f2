import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../helpers/clip-files.ts'
import { eventually } from '../helpers/eventually.ts'
import { startRedis } from '../helpers/redis.ts'
import { startLeadline, startListening } from './leadline-process.ts'

const password = 'planted-password-of-redis'
/** Of this machine as well, and no other part of it has it. */
const clientAddress = '127.83.61.48'

/** A gateway that says all it has to say, and its Redis, to which one speaks as its operator. */
async function gatewayOfRedis() {
  const redis = await startRedis(['--requirepass', password])
  onTestFinished(() => redis.stop())
  const operator = new Redis({ port: redis.port, password })
  onTestFinished(() => operator.disconnect())
  const gateway = await startListening(['gateway'], {
    ...{ REDIS_URL: redis.url.replace('//', `//:${password}@`), LEADLINE_AUTH: 'keys' },
    ...{ LEADLINE_LOG_LEVEL: 'trace', LEADLINE_DATA_DIR: await temporaryFolder() }
  })
  return { gateway, operator }
}

/** A request without a key from that address; how it is answered is not looked at. */
async function askWithoutKey(url: string): Promise<void> {
  const { port } = new URL(url)
  const socket = connectSocket({ host: '127.0.0.1', port: Number(port), localAddress: clientAddress })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write('GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  await once(socket, 'data')
  socket.destroy()
}

test('a Redis that is full, and one that only reads, are told without what was to be written', async () => {
  const { gateway, operator } = await gatewayOfRedis()
  const told = (reply: string) =>
    gateway.stderr
      .split('\n')
      .filter((line) => line.includes('a request could not be counted') && line.includes(reply)).length
  await operator.config('SET', 'maxmemory', '1')
  await askWithoutKey(gateway.url)
  await eventually(() => told('OOM')).toBeGreaterThan(0)
  await operator.config('SET', 'maxmemory', '0')
  await operator.replicaof('127.0.0.1', 1)
  await askWithoutKey(gateway.url)
  await eventually(() => told('READONLY')).toBeGreaterThan(0)
  expect(gateway.stderr).not.toContain(clientAddress)
  expect(gateway.stderr).not.toContain('"command"')
})

test('a password that Redis does not take is not told, at the start or later', async () => {
  const { gateway, operator } = await gatewayOfRedis()
  await operator.config('SET', 'requirepass', 'another')
  await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await eventually(() => gateway.stderr).toContain('WRONGPASS')
  expect(gateway.stderr).not.toContain(password)

  const { port } = operator.options
  const late = startLeadline(['worker'], {
    ...{ REDIS_URL: `redis://:${password}@127.0.0.1:${port}`, LEADLINE_LOG_LEVEL: 'trace' }
  })
  expect(await late.exited).toBe(1)
  expect(late.stderr).toContain('WRONGPASS')
  expect(late.stderr).not.toContain(password)
})
