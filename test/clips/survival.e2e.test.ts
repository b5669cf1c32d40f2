import { createHash } from 'node:crypto'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { LeadlineProcess } from '../cli/leadline-process.ts'
import { startLeadline, startListening } from '../cli/leadline-process.ts'
import { mp4, temporaryFolder } from '../helpers/clip-files.ts'
import type { ClipBody } from '../helpers/clip-requests.ts'
import { freePort } from '../helpers/free-port.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'

/** Slow machines take their time; nothing here depends on how long. */
const patience = { timeout: 240_000, interval: 100 }
const shape = { frames: 400, width: 84, height: 56 }
const query = '?results=npz&results=depth.mp4'

type Gateway = LeadlineProcess & { url: string }

/** Gateways and workers in processes of their own, on one Redis and one folder. */
async function service() {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const env = {
    REDIS_URL: redis.url,
    LEADLINE_KEY_PREFIX: randomPrefix(),
    LEADLINE_MODEL: 'fake',
    LEADLINE_DATA_DIR: await temporaryFolder()
  }
  return {
    redis,
    folder: path.join(env.LEADLINE_DATA_DIR, 'clips'),
    gateway: async (): Promise<Gateway> =>
      startListening(['gateway'], { ...env, LEADLINE_PORT: String(await freePort()) }),
    worker: async () => {
      const worker = startLeadline(['worker'], env)
      await worker.printed(/serving/)
      return worker
    }
  }
}

async function kill({ child, exited }: LeadlineProcess): Promise<void> {
  child.kill('SIGKILL')
  await exited
}

async function send({ url }: Gateway, video: Buffer): Promise<string> {
  const body = new Uint8Array(video)
  const headers = { 'content-type': 'video/mp4' }
  const response = await fetch(`${url}/v1/clips${query}`, { method: 'POST', body, headers })
  expect(response.status).toBe(202)
  return ((await response.json()) as ClipBody).id
}

async function look({ url }: Gateway, id: string): Promise<ClipBody | null> {
  const response = await fetch(`${url}/v1/clips/${id}`).catch(() => null)
  return response?.status === 200 ? ((await response.json()) as ClipBody) : null
}

async function progress(gateway: Gateway, id: string, frames: number): Promise<void> {
  await expect
    .poll(async () => (await look(gateway, id))?.progress.frames ?? -1, patience)
    .toBeGreaterThan(frames)
}

/** What it came to, as one sum over all results. */
async function outcome(gateway: Gateway, id: string): Promise<string> {
  await expect.poll(async () => (await look(gateway, id))?.state, patience).toMatch(/done|failed/)
  const clip = await look(gateway, id)
  expect(clip).toMatchObject({ state: 'done', failure: null, progress: { frames: shape.frames } })
  const sum = createHash('sha256')
  for (const link of Object.values(clip?.links.results ?? {})) {
    const result = await fetch(new URL(link, `${gateway.url}/v1/clips/`))
    expect(result.status).toBe(200)
    sum.update(new Uint8Array(await result.arrayBuffer()))
  }
  return sum.digest('hex')
}

test('clips go on from their last frame when gateway, worker and Redis die, to the bits of an undisturbed run', async () => {
  const { redis, gateway, worker } = await service()
  let [first, second] = [await gateway(), await gateway()]
  let served = await worker()
  const video = await mp4(shape)
  const undisturbed = await outcome(second, await send(first, video))

  const ids = [await send(first, video), await send(first, video), await send(second, video)]
  const [a = '', b = '', c = ''] = ids
  await progress(second, a, 10)
  await kill(first)
  first = await gateway()
  await progress(second, a, 40)
  await kill(served)
  served = await worker()
  await progress(first, b, 20)
  await redis.kill()
  await redis.restart()
  await progress(first, c, 30)
  await kill(second)
  second = await gateway()
  expect(await Promise.all(ids.map((id) => outcome(second, id)))).toEqual([
    undisturbed,
    undisturbed,
    undisturbed
  ])
}, 600_000)
