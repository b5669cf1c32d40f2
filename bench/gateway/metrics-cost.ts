import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { FrameTimes } from '../../src/api/stream/frame-times.ts'
import { StreamMeter } from '../../src/api/stream/stream-meter.ts'
import type { ValidFrame } from '../../src/wire/frame.ts'
import type { Meter } from '../../src/metering/measures.ts'
import { MemoryUsageStore, openUsage, toldMeter } from '../../src/usage/index.ts'

const frames = 50_000

/** Nanoseconds of CPU for one frame, in this process. */
export interface MetricsCost {
  /** Counters and histograms of a gateway. */
  frames: number
  /** Counters of what a key used, beside counting it. */
  usage: number
  /** What a key used, in memory and in a folder. */
  inMemory: number
  inFolder: number
}

/** What counting costs for each frame: the very calls that a frame makes, and no others. */
export async function metricsCost(): Promise<MetricsCost> {
  const times = new FrameTimes(new StreamMeter(new Registry(), { size: 1 }))
  const message = new Uint8Array(64)
  const ofFrames = await cpuNs(async (seq) => {
    times.came({ header: { seq } } as ValidFrame)
    times.made(seq)
    times.told({ type: 'result', seq, message })()
  })
  const inMemory = await counting(new MemoryUsageStore())
  const told = await counting(toldMeter(new MemoryUsageStore(), new Registry(), false))
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'leadline-bench-'))
  const place = { dataDir, redisUrl: null, keyPrefix: '', stateDir: null, port: 0 }
  const folder = await openUsage(place, pino({ level: 'silent' }))
  try {
    return { frames: ofFrames, usage: told - inMemory, inMemory, inFolder: await counting(folder) }
  } finally {
    await folder.close()
    await rm(dataDir, { recursive: true })
  }
}

function counting(meter: Meter): Promise<number> {
  const entry = { owner: null, day: '2026-01-01' }
  const amounts = { frames: 1, pixels: 230_400, deviceUs: 1000, bytesIn: 24_576, bytesOut: 86_304 }
  return cpuNs(async (number) => {
    await meter.count({ ...entry, amounts, mark: { name: 'session:s', number, keptMs: 60_000 } })
  })
}

async function cpuNs(call: (i: number) => Promise<void>): Promise<number> {
  for (let i = 0; i < frames; i++) await call(i)
  const before = process.cpuUsage()
  for (let i = frames; i < 2 * frames; i++) await call(i)
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / frames
}
