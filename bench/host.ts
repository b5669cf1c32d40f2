/**
 * What the host does for a frame beside the network: `npm run bench host`. An engine whose executor, in a process of its
 * own, computes next to nothing is streamed JPEG frames. The event loop is one thread: what it computes for a frame bounds
 * the frames per second of all sessions of a worker together, however fast the device. Processor time by the kernel's
 * count, since by the clock a busy machine would be measured along. Rounds of all cases in turn; medians. Linux only.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import pino from 'pino'
import sharp from 'sharp'
import type { ValidFrame } from '../src/frame.ts'
import { Engine } from '../src/inference/engine.ts'
import { fakeManifest } from '../src/inference/executors/fake-model.ts'
import { ProcessExecutor } from '../src/inference/executors/process.ts'
import { PixelPool } from '../src/inference/pixel-pool.ts'
import { sessionOptions } from '../src/session.ts'
import type { SessionConfig } from '../src/session.ts'
import { median, report } from './report.ts'

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

interface Case {
  name: string
  network: string
  config: SessionConfig
  frame: Uint8Array
  engine: Engine
  loopMs: number[]
  cpuMs: number[]
}

const log = pino({ level: 'silent' })
const executor = await ProcessExecutor.start({ spec: { kind: 'fake', maxBatch: 1 }, log })
const pixels = new PixelPool()
const cases: Case[] = []
for (const { network, lowerBound, source } of sizes) {
  const manifest = { ...fakeManifest, resolution: { multiple: 14, lowerBound, maxArea: 2 ** 20 } }
  const engine = new Engine({
    executor,
    models: new Map([['fake', { manifest, weightsPath: '' }]]),
    ...{ capacityBytes: 2 ** 30, replayBytes: 2 ** 30, maxPixels: 2 ** 24, pixels, log }
  })
  const frame = await picture(source)
  for (const { name, config } of wishes)
    cases.push({ name, network, config, frame, engine, loopMs: [], cpuMs: [] })
}
for (let round = -1; round < rounds; round++)
  for (const each of cases) {
    const { loopMs, cpuMs } = await stream(each)
    if (round < 0) continue
    each.loopMs.push(loopMs)
    each.cpuMs.push(cpuMs)
  }
for (const { name, network, loopMs, cpuMs } of cases) {
  report({ name: `${network}, ${name}: event loop`, value: round(median(loopMs)), unit: 'ms/frame' })
  report({ name: `${network}, ${name}: all threads`, value: round(median(cpuMs)), unit: 'ms/frame' })
}
for (const engine of new Set(cases.map((each) => each.engine))) await engine.closeAll()
await Promise.all([executor.close(), pixels.close()])

/** Stream one round's frames; what each cost this process. */
async function stream({ engine, config, frame }: Case): Promise<{ loopMs: number; cpuMs: number }> {
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

/** A JPEG with as much detail as video has: a smooth picture with some noise. */
async function picture({ width, height }: { width: number; height: number }): Promise<Uint8Array> {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0, noise = 1; i < rgb.length; i++) {
    noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0
    rgb[i] = 128 + 90 * Math.sin(i / 700) + (noise >>> 28)
  }
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer()
}

/** Processor time of the main thread so far; the kernel counts it in nanoseconds. */
function mainThreadMs(): number {
  return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}
