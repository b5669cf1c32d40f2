/**
 * What a clip costs the cameras of its worker: `npm run bench beside`. Steps of a fixed time in place of a network, so that
 * what is measured is who waits for whom: three cameras that fill three quarters of the device, and three that could fill it
 * alone, by themselves, beside a clip, and beside a clip that counts as a live session, as all did once (decision 61).
 * Rounds of all cases in turn; ratios are medians over rounds.
 */
import { setTimeout as delay } from 'node:timers/promises'
import pino from 'pino'
import { Engine } from '../src/inference/engine/engine.ts'
import { fakeManifest } from '../src/inference/executors/fake/fake-model.ts'
import { FakeExecutor } from '../src/inference/executors/fake/fake.ts'
import { WindowSession } from '../src/inference/offline/window-session.ts'
import { ownPixels } from '../src/inference/pixels/pixel-work.ts'
import type { ServiceClass } from '../src/metering/measures.ts'
import { sessionOptions } from '../src/session.ts'
import { frameOfPixels } from '../src/wire/own-frame.ts'
import { median, percentile, report } from './report.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const roundMs = 8000
const stepMs = 50
const cameras = 3
const size = { width: 56, height: 28 }

const loads = [
  // A frame of each every four steps.
  { name: 'three quarters', periodMs: 200, inFlight: Infinity },
  { name: 'full', periodMs: 0, inFlight: 3 }
]
const sides: { name: string; clip: ServiceClass | null }[] = [
  { name: 'by themselves', clip: null },
  { name: 'beside a clip', clip: 'clip' },
  { name: 'beside a clip that counts as live', clip: 'live' }
]

interface Round {
  latenciesMs: number[]
  liveFps: number
  clipFps: number
}

const engine = new Engine({
  executor: new FakeExecutor({ maxBatch: 1, stepMs }),
  models: new Map([['fake', { manifest: fakeManifest, weightsPath: '' }]]),
  ...{ capacityBytes: 2 ** 30, replayBytes: 2 ** 30, parkedBytes: 0, maxPixels: 2 ** 24 },
  ...{ pixels: ownPixels, openWindows: (options) => new WindowSession(options) },
  log: pino({ level: 'silent' })
})

/** A session that keeps so many frames in flight by itself, or is told to send each. */
async function open(id: string, service: ServiceClass, inFlight: number) {
  const sentMs: number[] = []
  const latenciesMs: number[] = []
  const send = (): void => {
    const rgb = new Uint8Array(size.width * size.height * 3).map((_, i) => (sentMs.length * 7 + i * i) % 256)
    sentMs.push(performance.now())
    engine.submit(id, frameOfPixels(sentMs.length - 1, { rgb, timestampUs: 0, ...size }))
  }
  const options = sessionOptions({ delivery: 'lossless', sceneCut: false }, 'fake')
  await engine.open(
    id,
    options,
    (event) => {
      if (event.type === 'error') throw new Error(event.detail)
      if (event.type !== 'result') return
      latenciesMs.push(performance.now() - sentMs[event.seq]!)
      if (inFlight < Infinity) send()
    },
    { service }
  )
  if (inFlight < Infinity) for (let i = 0; i < inFlight; i++) send()
  return { send, latenciesMs }
}

async function play(
  { periodMs, inFlight }: (typeof loads)[number],
  clip: ServiceClass | null
): Promise<Round> {
  const ids = [...Array.from({ length: cameras }, (_, i) => `camera ${i}`), 'clip']
  const live = await Promise.all(ids.slice(0, cameras).map((id) => open(id, 'live', inFlight)))
  const clips = clip === null ? [] : [await open('clip', clip, 4)]
  const timers = live.map(({ send }) => (periodMs > 0 ? setInterval(send, periodMs) : undefined))
  const startMs = performance.now()
  await delay(roundMs)
  for (const timer of timers) clearInterval(timer)
  const seconds = (performance.now() - startMs) / 1000
  const of = (all: { latenciesMs: number[] }[]): number[] => all.flatMap((each) => [...each.latenciesMs])
  const [latenciesMs, clipFrames] = [of(live), of(clips).length]
  for (const id of ids) await engine.close(id)
  return { latenciesMs, liveFps: latenciesMs.length / seconds, clipFps: clipFrames / seconds }
}

for (const load of loads) {
  const played = sides.map(() => [] as Round[])
  for (let round = 0; round < rounds; round++)
    for (const [i, { clip }] of sides.entries()) played[i]!.push(await play(load, clip))
  const alone = played[0]!
  for (const [i, { name }] of sides.entries()) {
    const told = (what: string, unit: string, of: (round: Round) => number): void =>
      report({
        ...{ name: `${load.name}: ${what}, ${name}`, unit, value: median(played[i]!.map(of)) },
        ...(i > 0 && {
          ratio: median(played[i]!.map((each, round) => of(each) / of(alone[round]!))),
          to: sides[0]!.name
        })
      })
    told('frames of cameras', 'frames/s', ({ liveFps }) => liveFps)
    told('p50 of cameras', 'ms', ({ latenciesMs }) => percentile(latenciesMs, 0.5))
    told('p95 of cameras', 'ms', ({ latenciesMs }) => percentile(latenciesMs, 0.95))
    if (i > 0)
      report({
        name: `${load.name}: frames of the clip, ${name}`,
        unit: 'frames/s',
        value: median(played[i]!.map(({ clipFps }) => clipFps))
      })
  }
}
await engine.closeAll()
