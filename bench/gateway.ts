/**
 * What a gateway takes of a machine beside everything else: `npm run bench gateway`. HTTP, WebSocket and sessions as
 * `leadline serve` has them, in a process of their own, around an engine that answers every frame at once; against a bare
 * echo server on the same `ws`, same bytes each way, in turns. The client is one and the same, writes its bytes by hand and
 * costs little; it shares the machine, so that frames/s of both are lower than with a machine of its own.
 * BENCH_PROFILE=FOLDER keeps a profile of the gateway. Figures in bench/figures are of the whole run.
 */
import { metricsCost } from './gateway/metrics-cost.ts'
import type { MetricsCost } from './gateway/metrics-cost.ts'
import { Side } from './gateway/side.ts'
import type { Throughput } from './gateway/side.ts'
import type { Sizes } from './gateway/wire.ts'
import { median, percentile, report } from './report.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7)
const seconds = Number(process.env['BENCH_SECONDS'] ?? 3)
const wanted = new Set((process.env['BENCH_PARTS'] ?? 'frames,live,idle,metrics').split(','))

/** A JPEG of 640x360 and its depth of 280x154 as u16; and next to nothing, where all that is left is what a message costs. */
const camera: Sizes = { frame: 24 * 1024, depth: 64 + 280 * 154 * 2 }
const small: Sizes = { frame: 1024, depth: 1024 }
const [sessions, inFlight] = [8, 4]
const fps = 30
const heldBelowMs = 10
const liveLoads = [4, 8, 16, 32, 48, 64, 96, 128]
const idleTries = 3
const idle = 1000

if (wanted.has('frames')) {
  await throughput('frames of 24 KiB, depth of 84 KiB', camera)
  await throughput('1 KiB each way', small)
}
if (wanted.has('live')) await live()
if (wanted.has('idle')) await memoryOfIdle()
if (wanted.has('metrics')) await metrics()

/** Closed loop, in turns; both servers are up all the time, and one of them is at rest. */
async function throughput(name: string, sizes: Sizes): Promise<void> {
  const sides = { gateway: await Side.start('gateway', sizes), bare: await Side.start('bare', sizes) }
  const measured: Record<keyof typeof sides, Throughput[]> = { gateway: [], bare: [] }
  for (const side of Object.values(sides)) {
    await side.open(sessions)
    await side.saturate(inFlight, 2)
  }
  for (let round = 0; round < rounds; round++) {
    for (const kind of ['bare', 'gateway'] as const)
      measured[kind].push(await sides[kind].saturate(inFlight, seconds))
    process.stderr.write(`${name}: ${JSON.stringify([measured.bare.at(-1), measured.gateway.at(-1)])}\n`)
  }
  for (const side of Object.values(sides)) await side.stop()
  for (const [key, what, unit] of [
    ['framesPerSecond', 'frames/s through the gateway', 'frames/s'],
    ['cpuMs', 'CPU of the gateway', 'ms/frame']
  ] as const) {
    const [gateway, bare] = [measured.gateway.map((one) => one[key]), measured.bare.map((one) => one[key])]
    report({
      name: `${name}, ${sessions} sessions with ${inFlight} on their way: ${what}`,
      value: rounded(median(gateway)),
      unit,
      ratio: rounded(median(gateway.map((value, i) => value / (bare[i] ?? NaN)))),
      to: `a bare echo server (${rounded(median(bare))})`
    })
  }
}

/** Open loop, more and more sessions, until the gateway adds too much to what the same machine does to a bare echo. */
async function live(): Promise<void> {
  let held: { load: number; added: number; gateway: number; bare: number } | null = null
  const sides = { bare: await Side.start('bare', camera), gateway: await Side.start('gateway', camera) }
  for (const load of liveLoads) {
    const p99: Record<keyof typeof sides, number[]> = { gateway: [], bare: [] }
    for (const side of Object.values(sides)) await side.open(load)
    for (let i = 0; i < rounds; i++)
      for (const kind of ['bare', 'gateway'] as const)
        p99[kind].push(percentile(await sides[kind].pace(fps, seconds), 0.99))
    for (const side of Object.values(sides)) side.closeSessions()
    const added = median(p99.gateway.map((ms, i) => ms - (p99.bare[i] ?? NaN)))
    const found = { load, added, gateway: median(p99.gateway), bare: median(p99.bare) }
    process.stderr.write(`live: ${JSON.stringify({ ...found, p99 })}\n`)
    if (added >= heldBelowMs) break
    held = found
  }
  for (const side of Object.values(sides)) await side.stop()
  const name = `sessions at ${fps} fps, less than ${heldBelowMs} ms added to p99 of a bare echo server: held`
  report({ name, value: held?.load ?? 0, unit: 'sessions' })
  if (held === null) return
  report({
    ...{ name: `p99 with those ${held.load}`, value: rounded(held.gateway), unit: 'ms' },
    ...{ ratio: rounded(held.gateway / held.bare), to: `a bare echo server (${rounded(held.bare)} ms)` }
  })
}

/** Sessions that are open and send nothing; the first hundred pay for code and tables that all share. */
async function memoryOfIdle(): Promise<void> {
  const bytes: Record<'gateway' | 'bare', { rss: number[]; used: number[] }> = {
    gateway: { rss: [], used: [] },
    bare: { rss: [], used: [] }
  }
  for (let i = 0; i < idleTries; i++) {
    for (const kind of ['bare', 'gateway'] as const) {
      const side = await Side.start(kind, small)
      await side.open(100)
      const before = await side.memory()
      await side.open(idle)
      const after = await side.memory()
      await side.stop()
      for (const key of ['rss', 'used'] as const)
        bytes[kind][key].push((after[key] - before[key]) / idle / 1024)
    }
    process.stderr.write(`idle: ${JSON.stringify(bytes)}\n`)
  }
  for (const [key, what] of [
    ['rss', 'resident memory'],
    ['used', 'heap and buffers in use']
  ] as const) {
    const [gateway, bare] = [median(bytes.gateway[key]), median(bytes.bare[key])]
    report({
      ...{ name: `${what} of an idle session, of ${idle}`, value: rounded(gateway), unit: 'KiB' },
      ...{ ratio: rounded(gateway / bare), to: `a bare socket (${rounded(bare)} KiB)` }
    })
  }
}

async function metrics(): Promise<void> {
  const costs: MetricsCost[] = []
  for (let round = 0; round < rounds; round++) costs.push(await metricsCost())
  const row = (name: string, key: keyof MetricsCost): void =>
    report({ name: `${name}: CPU`, value: rounded(median(costs.map((one) => one[key]))), unit: 'ns/frame' })
  row('metrics of a gateway', 'frames')
  row('metrics of usage, beside counting it', 'usage')
  row('counting usage in memory', 'inMemory')
  row('counting usage in a folder', 'inFolder')
}

function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
