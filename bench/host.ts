/**
 * What the host does for a frame beside the network: `npm run bench host`. An engine whose executor, in a process of its
 * own, computes next to nothing is streamed JPEG frames. The event loop is one thread: what it computes for a frame bounds
 * the frames per second of all sessions of a worker together, however fast the device. Compared with the same work done on
 * the loop, frames sent to the executor in messages. Processor time by the kernel's count, since by the clock a busy machine
 * would be measured along. Rounds of all cases in turn; medians. Linux only.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import pino from 'pino'
import type { ValidFrame } from '../src/wire/frame.ts'
import { Engine } from '../src/inference/engine/engine.ts'
import { fakeManifest } from '../src/inference/executors/fake/fake-model.ts'
import { ProcessExecutor } from '../src/inference/executors/process/process.ts'
import { PixelPool } from '../src/inference/pixels/pixel-pool.ts'
import { ownPixels } from '../src/inference/pixels/pixel-work.ts'
import type { SharedPixelWork } from '../src/inference/pixels/pixel-work.ts'
import { sessionOptions } from '../src/session.ts'
import type { SessionConfig } from '../src/session.ts'
import { noisyJpeg } from './noisy-jpeg.ts'
import { median, report } from './report.ts'
import { WindowSession } from '../src/inference/offline/window-session.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5)
const framesPerRound = 40
const inFlight = 8

/** Network sizes as written in the papers, height first, and the frames that come to them. */
const sizes = [
  { network: '154x280', lowerBound: 154, source: { width: 1280, height: 720 } },
  { network: '280x924', lowerBound: 280, source: { width: 1242, height: 376 } },
  { network: '518x924', lowerBound: 518, source: { width: 1920, height: 1080 } }
]
const wishes: { name: string; config: SessionConfig }[] = [
  { name: 'u16', config: { output: { format: 'u16' } } },
  { name: 'u16, cuts and drift', config: { output: { format: 'u16' }, sceneCut: true, stabilize: true } },
  { name: 'f16 of source size', config: { output: { format: 'f16', size: 'source' } } },
  { name: 'u16 of source size', config: { output: { format: 'u16', size: 'source' } } },
  { name: 'png16 of source size', config: { output: { format: 'png16', size: 'source' } } }
]

interface Way {
  engine: Engine
  loopMs: number[]
  cpuMs: number[]
}

interface Case {
  name: string
  config: SessionConfig
  frame: Uint8Array
  ways: { beside: Way; onLoop: Way }
}

const log = pino({ level: 'silent' })
const start = (sharesMemory: boolean) =>
  ProcessExecutor.start({ spec: { kind: 'fake', maxBatch: 1 }, log, sharesMemory })
const [sharing, messaging] = [await start(true), await start(false)]
const pool = new PixelPool()
const engines: Engine[] = []
const cases: Case[] = []
for (const { network, lowerBound, source } of sizes) {
  const manifest = { ...fakeManifest, resolution: { multiple: 14, lowerBound, maxArea: 2 ** 20 } }
  const frame = await noisyJpeg(source)
  const way = (executor: ProcessExecutor, pixels: SharedPixelWork): Way => {
    const models = new Map([['fake', { manifest, weightsPath: '' }]])
    const limits = { capacityBytes: 2 ** 30, replayBytes: 2 ** 30, parkedBytes: 0, maxPixels: 2 ** 24 }
    const engine = new Engine({
      openWindows: (options) => new WindowSession(options),
      executor,
      models,
      pixels,
      log,
      ...limits
    })
    engines.push(engine)
    return { engine, loopMs: [], cpuMs: [] }
  }
  for (const { name, config } of wishes) {
    const ways = { beside: way(sharing, pool), onLoop: way(messaging, ownPixels) }
    cases.push({ name: `${network}, ${name}`, config, frame, ways })
  }
}
for (let round = -1; round < rounds; round++)
  for (const { config, frame, ways } of cases)
    for (const way of Object.values(ways)) {
      const { loopMs, cpuMs } = await stream(way.engine, config, frame)
      if (round < 0) continue
      way.loopMs.push(loopMs)
      way.cpuMs.push(cpuMs)
    }
for (const { name, ways } of cases)
  for (const [what, key] of [
    ['event loop', 'loopMs'],
    ['all threads', 'cpuMs']
  ] as const) {
    const ratio = median(ways.beside[key].map((ms, round) => ms / (ways.onLoop[key][round] ?? NaN)))
    const value = rounded(median(ways.beside[key]))
    const to = `all on the event loop (${rounded(median(ways.onLoop[key]))} ms)`
    report({ name: `${name}: ${what}`, value, unit: 'ms/frame', ratio, to })
  }
for (const engine of engines) await engine.closeAll()
await Promise.all([sharing.close(), messaging.close(), pool.close()])

/** Stream one round's frames; what each cost this process. */
async function stream(
  engine: Engine,
  config: SessionConfig,
  frame: Uint8Array
): Promise<{ loopMs: number; cpuMs: number }> {
  let seq = 0
  let outcomes = 0
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const options = sessionOptions({ delivery: 'lossless', ...config }, 'fake')
  const submit = (): void => engine.submit('bench', frameOf(seq++, frame))
  await engine.open('bench', options, (event) => {
    if (event.type === 'error') throw new Error(event.detail)
    if (event.type !== 'result') return
    outcomes += 1
    if (seq < framesPerRound) submit()
    if (outcomes === framesPerRound) finish()
  })
  const [loop, cpu] = [mainThreadMs(), process.cpuUsage()]
  for (let i = 0; i < inFlight; i++) submit()
  await finished
  const { user, system } = process.cpuUsage(cpu)
  const loopMs = (mainThreadMs() - loop) / framesPerRound
  await engine.close('bench')
  await delay(20)
  return { loopMs, cpuMs: (user + system) / 1000 / framesPerRound }
}

function frameOf(seq: number, payload: Uint8Array): ValidFrame {
  const header = { seq, timestampUs: seq * 33_333, codec: 'jpeg', width: 0, height: 0 }
  return { header, payload } as ValidFrame
}

/** Processor time of the main thread so far; the kernel counts it in nanoseconds. */
function mainThreadMs(): number {
  return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6
}

function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
