import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import path from 'node:path'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../helpers/redis.ts'
import { writeTinyModel } from '../inference/models/model-folder.ts'
import { temporaryFolder } from '../video/clip-file.ts'
import { startLeadline } from './leadline-process.ts'

const timeout = 120_000

async function takenPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return String((server.address() as AddressInfo).port)
}

async function lockedRedis(): Promise<string> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = new Redis(server.url)
  await redis.config('SET', 'requirepass', 'right')
  redis.disconnect()
  return server.url.replace('//', '//:wrong@')
}

/** A server that says of itself what an old Redis does, and OK to all else. */
async function oldRedis(): Promise<string> {
  const info = 'redis_version:5.0.7\r\n'
  const server = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        for (const [, command] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g))
          socket.write(/info/i.test(command!) ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n')
      })
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function brokenModel(): Promise<NodeJS.ProcessEnv> {
  const folder = await temporaryFolder()
  const { name, weights } = await writeTinyModel(folder)
  await writeFile(path.join(folder, name, weights.file), 'cut sho')
  return { LEADLINE_MODELS_DIR: folder, LEADLINE_MODEL: name, LEADLINE_EXECUTOR: 'auto' }
}

async function fileAsFolder(): Promise<string> {
  const file = path.join(await temporaryFolder(), 'file')
  await writeFile(file, '')
  return file
}

interface Refusal {
  command: 'serve' | 'gateway' | 'worker'
  env: () => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>
  says: RegExp
}

const refusals: Record<string, Refusal> = {
  'a port that is taken': {
    command: 'serve',
    env: async () => ({ LEADLINE_PORT: await takenPort() }),
    says: /port \d+ on 127\.0\.0\.1 is taken/
  },
  'an address of another machine': {
    command: 'serve',
    env: () => ({ LEADLINE_HOST: '192.0.2.1', LEADLINE_AUTH: 'off' }),
    says: /no address 192\.0\.2\.1; see --host/
  },
  'a device that is not there': {
    command: 'serve',
    env: () => ({ LEADLINE_DEVICE: 'cuda', LEADLINE_DEVICE_ID: '99', LEADLINE_EXECUTOR: 'auto' }),
    says: /LEADLINE_DEVICE=cuda cannot run "leadline-nano": .{1,200}; "leadline doctor" .*LEADLINE_DEVICE=cpu/
  },
  'a default model that does not exist': {
    command: 'serve',
    env: () => ({ LEADLINE_MODEL: 'gigantic', LEADLINE_EXECUTOR: 'auto' }),
    says: /There is no model "gigantic"; known: leadline-nano/
  },
  'a default model whose weights are broken': {
    command: 'serve',
    env: brokenModel,
    says: /model\.safetensors/
  },
  'a data folder that cannot be': {
    command: 'serve',
    env: async () => ({ LEADLINE_DATA_DIR: path.join(await fileAsFolder(), 'clips') }),
    says: /LEADLINE_DATA_DIR/
  },
  'a Redis that is not there': {
    command: 'gateway',
    env: () => ({ REDIS_URL: 'redis://127.0.0.1:1' }),
    says: /Redis.*REDIS_URL/
  },
  'a Redis that is too old': {
    command: 'gateway',
    env: async () => ({ REDIS_URL: await oldRedis() }),
    says: /Redis is 5\.0\.7, and 6\.2 or newer is needed/
  },
  'a wrong password': {
    command: 'worker',
    env: async () => ({ REDIS_URL: await lockedRedis() }),
    says: /refuses: WRONGPASS.*REDIS_URL/
  }
}

test.each(Object.entries(refusals))(
  'with %s a start fails with one line',
  { timeout },
  async (_, refusal) => {
    const env = {
      LEADLINE_PORT: '0',
      LEADLINE_DATA_DIR: await temporaryFolder(),
      LEADLINE_LOG_LEVEL: 'silent'
    }
    const started = startLeadline([refusal.command], { ...env, ...(await refusal.env()) })
    expect(await started.exited).toBe(1)
    expect(started.stdout).toBe('')
    expect(started.stderr).toMatch(/^leadline: .*\n$/)
    expect(started.stderr).toMatch(refusal.says)
  }
)
