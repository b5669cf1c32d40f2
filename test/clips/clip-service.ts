import { createHash } from 'node:crypto'
import { expect, onTestFinished } from 'vitest'
import type { LeadlineProcess } from '../cli/leadline-process.ts'
import { startLeadline, startListening } from '../cli/leadline-process.ts'
import type { ClipBody } from '../helpers/clip-requests.ts'
import { freePort } from '../helpers/free-port.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'

/** Slow machines take their time; nothing here depends on how long. */
export const patience = { timeout: 240_000, interval: 100 }

export type Gateway = LeadlineProcess & { url: string }

/** Gateways and workers in processes of their own, on one Redis. They end with the test. */
export async function clipService(settings: NodeJS.ProcessEnv) {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const env = {
    REDIS_URL: redis.url,
    LEADLINE_KEY_PREFIX: randomPrefix(),
    LEADLINE_MODEL: 'fake',
    LEADLINE_METRICS_PORT: '0',
    ...settings
  }
  return {
    redis,
    gateway: async (dataDir: string): Promise<Gateway> =>
      startListening(['gateway'], {
        ...env,
        LEADLINE_DATA_DIR: dataDir,
        LEADLINE_PORT: String(await freePort())
      }),
    worker: async (): Promise<LeadlineProcess> => {
      const worker = startLeadline(['worker'], env)
      await worker.printed(/serving/)
      return worker
    }
  }
}

export async function kill({ child, exited }: LeadlineProcess): Promise<void> {
  child.kill('SIGKILL')
  await exited
}

/** Resolves with the id of the clip. */
export async function send({ url }: Gateway, video: Buffer, wishes = ''): Promise<string> {
  const body = new Uint8Array(video)
  const headers = { 'content-type': 'video/mp4' }
  const query = `?results=npz&results=depth.mp4${wishes}`
  const response = await fetch(`${url}/v1/clips${query}`, { method: 'POST', body, headers })
  expect(response.status).toBe(202)
  return ((await response.json()) as ClipBody).id
}

export async function progress(gateway: Gateway, id: string, frames: number): Promise<void> {
  await expect
    .poll(async () => (await look(gateway, id))?.progress.frames ?? -1, patience)
    .toBeGreaterThan(frames)
}

/** What it came to, as one sum over all results; with so many frames, each once. */
export async function outcome(gateway: Gateway, id: string, frames: number): Promise<string> {
  await expect.poll(async () => (await look(gateway, id))?.state, patience).toMatch(/done|failed/)
  const clip = await look(gateway, id)
  expect(clip).toMatchObject({ state: 'done', failure: null, progress: { frames } })
  const sum = createHash('sha256')
  for (const link of Object.values(clip?.links.results ?? {})) {
    const result = await fetch(new URL(link, `${gateway.url}/v1/clips/`))
    expect(result.status).toBe(200)
    sum.update(new Uint8Array(await result.arrayBuffer()))
  }
  return sum.digest('hex')
}

async function look({ url }: Gateway, id: string): Promise<ClipBody | null> {
  const response = await fetch(`${url}/v1/clips/${id}`).catch(() => null)
  return response?.status === 200 ? ((await response.json()) as ClipBody) : null
}
