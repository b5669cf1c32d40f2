import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { mp4 } from '../test/helpers/clip-files.ts'
import { freePort } from '../test/helpers/free-port.ts'
import { startLinkProxy } from '../test/helpers/link-proxy.ts'
import { randomPrefix, startRedis } from '../test/helpers/redis.ts'
import { makeProgram } from './faults/program.ts'
import { Service } from './faults/service.ts'
import { randomNumbers } from './random.ts'

/**
 * Clips while everything dies: so many clips, workers and gateways killed at random, Redis killed and started again
 * empty. Each must end with exactly its frames, to the bits of an undisturbed run, or have failed with a reason.
 */

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '20' },
    kills: { type: 'string', default: '10' },
    restarts: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' }
  }
})
const [numClips, numKills, numRestarts] = [values.clips, values.kills, values.restarts].map(Number) as [
  number,
  number,
  number
]
const random = randomNumbers(Number(values.seed))
const shape = { frames: 400, width: 84, height: 56 }
const lookMs = 1000

interface ClipState {
  state: string
  failure: { code: string } | null
  progress: { frames: number }
  links: { results: Record<string, string> }
}

const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-clips-'))
const program = await makeProgram()
const redis = await startRedis()
const faults: string[] = []

async function service(kind: 'gateway' | 'worker', number: number): Promise<Service> {
  const link = await startLinkProxy(redis.port)
  const made = new Service({
    name: `${kind}-${number}`,
    ...{ program, args: [kind] },
    env: {
      REDIS_URL: `redis://127.0.0.1:${link.port}`,
      ...{ LEADLINE_KEY_PREFIX: prefix, LEADLINE_DATA_DIR: folder, LEADLINE_PORT: String(await freePort()) },
      ...{ LEADLINE_EXECUTOR: 'fake', LEADLINE_MODEL: 'fake', LEADLINE_LAME_DUCK_MS: '0' },
      LEADLINE_MAX_WAITING_CLIPS: String(numClips)
    },
    announcement: kind === 'gateway' ? /listening: (http:\S+)/ : /serving/,
    ...{ logsFolder: folder, link, onExit: (what: string) => void faults.push(what) }
  })
  await made.start()
  return made
}

const prefix = randomPrefix()
const gateways = [await service('gateway', 0), await service('gateway', 1)]
const workers = [await service('worker', 0), await service('worker', 1)]
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!

/** Of whichever gateway answers. */
async function ask(pathOf: string, init?: RequestInit): Promise<Response> {
  for (;;) {
    const url = pick(gateways).said[0] ?? ''
    const response = await fetch(`${url}${pathOf}`, init).catch(() => null)
    if (response?.ok === true) return response
    await delay(lookMs / 4)
  }
}

const video = new Uint8Array(await mp4(shape))
let numSent = 0
async function send(): Promise<string> {
  const headers = { 'content-type': 'video/mp4', 'idempotency-key': `clip ${numSent++}` }
  const sent = await ask('/v1/clips?results=npz&results=depth.mp4', { method: 'POST', body: video, headers })
  return ((await sent.json()) as { id: string }).id
}

async function ended(id: string): Promise<ClipState> {
  for (;;) {
    const clip = (await (await ask(`/v1/clips/${id}`)).json()) as ClipState
    if (['done', 'failed'].includes(clip.state)) return clip
    await delay(lookMs)
  }
}

async function sumOf({ links }: ClipState): Promise<string> {
  const sum = createHash('sha256')
  for (const link of Object.values(links.results))
    sum.update(new Uint8Array(await (await ask(`/v1/clips/${link}`)).arrayBuffer()))
  return sum.digest('hex')
}

const undisturbed = await sumOf(await ended(await send()))
const startMs = performance.now()
const ids: string[] = []
for (let i = 0; i < numClips; i++) ids.push(await send())

const blows = [
  ...Array.from({ length: numKills }, (_, i) => async () => {
    const victim = pick(i % 2 === 0 ? gateways : workers)
    console.log(`kill ${victim.name}`)
    await victim.replace('SIGKILL')
  }),
  ...Array.from({ length: numRestarts }, () => async () => {
    console.log('restart Redis, empty')
    await redis.kill()
    await redis.restart()
  })
]
for (let i = blows.length - 1; i > 0; i--) {
  const j = Math.floor(random() * (i + 1))
  ;[blows[i], blows[j]] = [blows[j]!, blows[i]!]
}
for (const blow of blows) {
  await delay(2000 + random() * 6000)
  await blow()
}

const clips = await Promise.all(ids.map(ended))
const done = clips.filter(({ state }) => state === 'done')
const same = (await Promise.all(done.map(sumOf))).filter((sum) => sum === undisturbed)
const failures = clips.flatMap(({ failure }) => (failure === null ? [] : [failure.code]))
const seconds = (performance.now() - startMs) / 1000
console.log(
  JSON.stringify({
    ...{ clips: clips.length, done: done.length, bitEqual: same.length, failures },
    whole: done.filter(({ progress }) => progress.frames === shape.frames).length,
    ...{ kills: numKills, restarts: numRestarts, seconds: Math.round(seconds), faults }
  })
)
for (const one of [...gateways, ...workers]) await one.close('SIGKILL')
await redis.stop()
await rm(folder, { recursive: true, force: true })
process.exitCode = same.length === done.length && done.length + failures.length === clips.length ? 0 : 1
