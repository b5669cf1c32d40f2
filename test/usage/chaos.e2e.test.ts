import { expect, onTestFinished, test } from 'vitest'
import { RedisKeyStore } from '../../src/access/redis/redis-key-store.ts'
import { connectStream } from '../../src/client/index.ts'
import { RedisConnections, RedisKeys } from '../../src/sessions/index.ts'
import { startLeadline, startListening } from '../cli/leadline-process.ts'
import type { LeadlineProcess } from '../cli/leadline-process.ts'
import { mp4, temporaryFolder } from '../helpers/clip-files.ts'
import type { ClipBody } from '../helpers/clip-requests.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePort } from '../helpers/free-port.ts'
import { addKey } from '../helpers/keys.ts'
import type { TestKey } from '../helpers/keys.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'

const headerBytes = 64
const frameBytes = headerBytes + 48
const clipShape = { frames: 150, width: 84, height: 56 }

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
    keys: [await addKey(store), await addKey(store), await addKey(store)],
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
  let bytesOut = 0
  let isPlaying = true
  const reading = (async () => {
    for await (const { seq, payload } of stream.results) {
      seqs.add(seq)
      bytesOut += headerBytes + payload.byteLength
    }
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
      return { frames: seqs.size, bytesOut }
    }
  }
}

/** Sends a clip to a gateway that lives; its id. */
async function sendClip(url: string, { headers }: TestKey, video: Buffer): Promise<string> {
  const taken = await fetch(`${url}/v1/clips?results=npz`, {
    ...{ method: 'POST', body: new Uint8Array(video), headers: { ...headers, 'content-type': 'video/mp4' } }
  })
  expect(taken.status).toBe(202)
  return ((await taken.json()) as ClipBody).id
}

/** As any of the gateways has it. */
async function clipOf(urls: string[], { headers }: TestKey, id: string): Promise<ClipBody | null> {
  for (const url of urls) {
    const answer = await fetch(`${url}/v1/clips/${id}`, { headers }).catch(() => null)
    if (answer?.status === 200) return (await answer.json()) as ClipBody
  }
  return null
}

/** What its results are together, as a client fetches them. */
async function resultBytes(url: string, { headers }: TestKey, id: string): Promise<number> {
  const answer = await fetch(`${url}/v1/clips/${id}/results/npz`, { headers })
  return (await answer.arrayBuffer()).byteLength
}

interface Usage {
  frames: number
  clipFrames: number
  bytesIn: number
  bytesOut: number
  megapixels: number
}

async function usageOf(url: string, { headers, key }: TestKey): Promise<Usage> {
  const response = await fetch(`${url}/v1/usage`, { headers })
  expect(response.status).toBe(200)
  const { usage } = (await response.json()) as { usage: (Usage & { key: string | null })[] }
  expect(usage.filter((one) => one.key !== key.id)).toEqual([])
  const sum = (name: keyof Usage) => usage.reduce((all, one) => all + one[name], 0)
  return {
    ...{ frames: sum('frames'), clipFrames: sum('clipFrames'), megapixels: sum('megapixels') },
    ...{ bytesIn: sum('bytesIn'), bytesOut: sum('bytesOut') }
  }
}

test(
  'usage is what clients were given, to the frame, when gateways and workers are killed and Redis is cut off',
  { timeout: 900_000 },
  async () => {
    const cell = await startCell()
    const { gateways, workers, keys, redis } = cell
    const urls = gateways.map(({ url }) => url)
    const [first, second, third] = keys as [TestKey, TestKey, TestKey]
    const video = await mp4(clipShape)
    const clips: string[] = []
    const players = await Promise.all([play(urls, first), play(urls, first), play(urls.toReversed(), second)])
    const allGoOn = async () => {
      const before = players.map(({ seqs }) => seqs.size)
      await eventually(() => players.every(({ seqs }, i) => seqs.size > (before[i] ?? 0) + 10)).toBe(true)
    }
    await allGoOn()
    for (const i of [0, 1]) {
      await kill(workers[i]!)
      await allGoOn()
      // One for each gateway: that which is killed is at one of them.
      for (const url of urls) clips.push(await sendClip(url, third, video))
      const running = clips.slice(-2)
      const frames = async (id: string) => (await clipOf(urls, third, id))?.progress.frames ?? 0
      await eventually(async () => Math.min(...(await Promise.all(running.map(frames))))).toBeGreaterThan(0)
      await kill(gateways[i]!)
      ;[workers[i], gateways[i]] = await Promise.all([cell.startWorker(), cell.startGateway(i)])
      redis.freeze()
      await new Promise((resolve) => setTimeout(resolve, 1500))
      redis.thaw()
      await allGoOn()
    }
    const [a, b, c] = await Promise.all(players.map((player) => player.finish()))
    const url = urls[0]!
    const used = (all: ({ frames: number; bytesOut: number } | undefined)[]) => {
      const sum = (name: 'frames' | 'bytesOut') => all.reduce((so, one) => so + (one?.[name] ?? 0), 0)
      return {
        ...{
          frames: sum('frames'),
          clipFrames: 0,
          bytesIn: sum('frames') * frameBytes,
          bytesOut: sum('bytesOut')
        },
        megapixels: expect.closeTo((sum('frames') * 16) / 1e6, 9)
      }
    }
    expect(await usageOf(url, first)).toEqual(used([a, b]))
    expect(await usageOf(url, second)).toEqual(used([c]))

    for (const id of clips) await eventually(async () => (await clipOf(urls, third, id))?.state).toBe('done')
    const clipFrames = clips.length * clipShape.frames
    const sizes = await Promise.all(clips.map((id) => resultBytes(url, third, id)))
    await eventually(() => usageOf(url, third)).toEqual({
      ...{ frames: 0, clipFrames, bytesIn: clips.length * video.byteLength },
      bytesOut: sizes.reduce((all, one) => all + one, 0),
      megapixels: expect.closeTo((clipFrames * clipShape.width * clipShape.height) / 1e6, 9)
    })
  }
)
