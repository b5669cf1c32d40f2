import { expect, onTestFinished, test } from 'vitest'
import { RedisKeyStore } from '../../src/access/redis/redis-key-store.ts'
import { connectStream } from '../../src/client/index.ts'
import { RedisConnections, RedisKeys } from '../../src/sessions/index.ts'
import { startLeadline, startListening } from '../cli/leadline-process.ts'
import type { LeadlineProcess } from '../cli/leadline-process.ts'
import { temporaryFolder } from '../helpers/clip-files.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePort } from '../helpers/free-port.ts'
import { addKey } from '../helpers/keys.ts'
import type { TestKey } from '../helpers/keys.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'

const frameBytes = 64 + 48

/** Two of each, in processes of their own, and two keys. */
async function startCell() {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const keyPrefix = randomPrefix()
  const connections = await RedisConnections.open(redis.url, quietLog())
  const store = new RedisKeyStore(connections, new RedisKeys(keyPrefix))
  onTestFinished(() => store.close())
  const env = {
    REDIS_URL: redis.url,
    LEADLINE_KEY_PREFIX: keyPrefix,
    LEADLINE_DATA_DIR: await temporaryFolder(),
    LEADLINE_AUTH: 'keys'
  }
  const ports = [await freePort(), await freePort()]
  const startGateway = (i: number) => startListening(['gateway'], { ...env, LEADLINE_PORT: String(ports[i]) })
  const startWorker = async () => {
    const worker = startLeadline(['worker'], env)
    await worker.printed(/serving: /)
    return worker
  }
  return {
    ...{ redis, startGateway, startWorker },
    keys: [await addKey(store), await addKey(store)],
    gateways: await Promise.all([startGateway(0), startGateway(1)]),
    workers: await Promise.all([startWorker(), startWorker()])
  }
}

async function kill({ child, exited }: LeadlineProcess): Promise<void> {
  child.kill('SIGKILL')
  await exited
}

/** A client that counts what it was given, and sends one frame after the other until it is told to stop. */
async function play(urls: string[], { value: key }: TestKey) {
  const stream = await connectStream({ url: urls, credentials: { key }, config: { delivery: 'lossless' } })
  const seqs = new Set<number>()
  let isPlaying = true
  const reading = (async () => {
    for await (const { seq } of stream.results) seqs.add(seq)
  })()
  const sending = (async () => {
    for (let i = 0; isPlaying; i++) {
      await stream.send({ data: new Uint8Array(48).fill(i), codec: 'rgb24', width: 4, height: 4 })
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })()
  return {
    seqs,
    async finish() {
      isPlaying = false
      await sending
      const summary = await stream.close()
      await reading
      expect(summary).toMatchObject({ results: seqs.size, drops: 0, errors: 0 })
      return seqs.size
    }
  }
}

interface Usage {
  frames: number
  bytesIn: number
  megapixels: number
}

async function usageOf(url: string, { headers, key }: TestKey): Promise<Usage> {
  const response = await fetch(`${url}/v1/usage`, { headers })
  expect(response.status).toBe(200)
  const { usage } = (await response.json()) as { usage: (Usage & { key: string | null })[] }
  expect(usage.filter((one) => one.key !== key.id)).toEqual([])
  const sum = (name: keyof Usage) => usage.reduce((all, one) => all + one[name], 0)
  return { frames: sum('frames'), bytesIn: sum('bytesIn'), megapixels: sum('megapixels') }
}

test(
  'usage is what clients were given, to the frame, when gateways and workers are killed and Redis is cut off',
  { timeout: 900_000 },
  async () => {
    const cell = await startCell()
    const { gateways, workers, keys, redis } = cell
    const urls = gateways.map(({ url }) => url)
    const [first, second] = keys as [TestKey, TestKey]
    const players = await Promise.all([play(urls, first), play(urls, first), play(urls.toReversed(), second)])
    const allGoOn = async () => {
      const before = players.map(({ seqs }) => seqs.size)
      await eventually(() => players.every(({ seqs }, i) => seqs.size > (before[i] ?? 0) + 10)).toBe(true)
    }
    await allGoOn()
    for (const i of [0, 1]) {
      await kill(workers[i]!)
      await allGoOn()
      await kill(gateways[i]!)
      ;[workers[i], gateways[i]] = await Promise.all([cell.startWorker(), cell.startGateway(i)])
      redis.freeze()
      await new Promise((resolve) => setTimeout(resolve, 1500))
      redis.thaw()
      await allGoOn()
    }
    const [a = 0, b = 0, c = 0] = await Promise.all(players.map((player) => player.finish()))
    const url = urls[0]!
    const used = (frames: number) => ({
      ...{ frames, bytesIn: frames * frameBytes },
      megapixels: expect.closeTo((frames * 16) / 1e6, 9)
    })
    expect(await usageOf(url, first)).toEqual(used(a + b))
    expect(await usageOf(url, second)).toEqual(used(c))
  }
)
