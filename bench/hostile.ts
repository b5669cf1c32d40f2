/**
 * What honest streams suffer from hostile clients: `npm run bench hostile`. A server in a process of its own, asking for
 * keys; four cameras; and beside them, in every second round, 50 attackers in a third process, of each kind of
 * bench/hostile/attacks.ts some, with a key that has limits (or several: `--keys`), each attack begun again when the
 * server has ended it. The attackers yield to everybody else (nice). Ratios are of all hostile rounds to all calm ones.
 * Exit code 1 where a frame was lost, or an attack ended otherwise than is listed. With `--kinds`, each round has
 * attackers of one kind, and a line on stderr says what it costs by itself. Linux only.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Ended } from './hostile/attackers.ts'
import { attacks, isListed } from './hostile/attacks.ts'
import { HonestStream } from './hostile/honest.ts'
import type { FrameTimes } from './hostile/honest.ts'
import { treeParts, treeShare } from './hostile/process-tree.ts'
import { Served } from './hostile/served.ts'
import { noisyJpeg } from './noisy-jpeg.ts'
import { percentile, report } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '15' },
    attackers: { type: 'string', default: '50' },
    /** Whose limits the attackers share. */
    keys: { type: 'string', default: '1' },
    fps: { type: 'string', default: '4' },
    /** How long memory may take to come back. */
    settle: { type: 'string', default: '120' },
    /** Of which kinds, one after the other, by part of their names; empty: each. */
    kinds: { type: 'string' }
  }
})
const [rounds, seconds, numAttackers, fps] = [
  values.rounds,
  values.seconds,
  values.attackers,
  values.fps
].map(Number) as [number, number, number, number]
const kinds = values.kinds === undefined ? null : Object.keys(attacks).filter(isWanted)
const numCameras = 4

type Round = 'calm' | 'hostile'
/** Where latencies went, and what server and attackers took of the processor meanwhile. */
interface Play {
  times: FrameTimes[]
  wallMs: number
  serverMs: number
  attackersMs: number
}

const server = await Served.start()
const camera = await server.keyWith('camera', {})
const strangers = await Promise.all(
  Array.from({ length: Number(values.keys) }, (_, i) =>
    server.keyWith(`stranger-${i}`, {
      sessions: 16,
      framesPerSecond: 4,
      megapixelsPerSecond: 40,
      requestsPerMinute: 600
    })
  )
)
const jpeg = await noisyJpeg({ width: 320, height: 240 })
const cameras = await Promise.all(
  Array.from({ length: numCameras }, () => HonestStream.open(server.url, camera, jpeg))
)
const plays: Record<Round, Play[]> = { calm: [], hostile: [] }
const ends = new Map<string, number>()
let unlisted = 0

await play('calm')
plays.calm = []
const partsBefore = treeParts(server.pid)
const before = { ...treeShare(server.pid), ...(await server.figures()) }
for (const kind of kinds ?? Array<null>(rounds).fill(null)) {
  await play('calm')
  await attacked(kind)
}
const bytesAfter = await settledBytes()
const after = await server.figures()
process.stderr.write(
  `MiB before: ${partsBefore.join(', ')}\nafterwards: ${treeParts(server.pid).join(', ')}\n`
)
const faults = cameras.flatMap((stream) => stream.faults)
const sent = cameras.reduce((sum, stream) => sum + stream.numSent, 0)
const lost = faults.length + cameras.reduce((sum, stream) => sum + stream.numWaiting, 0)
for (const stream of cameras) stream.close()
await server.stop()

for (const [end, times] of [...ends].sort()) process.stderr.write(`${times} x ${end}\n`)
for (const fault of faults) process.stderr.write(`${fault}\n`)
for (const of of ['heapBytes', 'externalBytes'] as const)
  process.stderr.write(`${of} ${mib(before[of])} MiB, afterwards ${mib(after[of])} MiB\n`)
if (kinds === null) reportAll()
process.exit(lost + unlisted > 0 ? 1 : 0)

/** A round with attackers, of one kind or of all. */
async function attacked(kind: string | null): Promise<void> {
  const targets = strangers.map((key) => ({ url: server.url, key, localAddress: '127.0.0.2' }))
  const child = fork(
    new URL('./hostile/attackers.ts', import.meta.url),
    [JSON.stringify(targets), String(numAttackers), ...(kind === null ? [] : [kind])],
    { execArgv: ['--import', 'tsx'] }
  )
  let isBegun = (): void => undefined
  const begun = new Promise<void>((resolve) => (isBegun = resolve))
  child.on('message', (message: Ended | 'begun') => {
    if (message === 'begun') return isBegun()
    const { attack, end } = message
    ends.set(`${attack}: ${end}`, (ends.get(`${attack}: ${end}`) ?? 0) + 1)
    if (!isListed(attacks[attack]!, end)) unlisted += 1
  })
  await begun
  await play('hostile', child.pid)
  child.send('stop')
  await once(child, 'exit')
  if (kind !== null)
    process.stderr.write(`${kind}\n  ${line(plays.calm.at(-1)!)}\n  ${line(plays.hostile.at(-1)!)}\n`)
}

async function play(round: Round, attackers?: number): Promise<void> {
  const spent = (): [number, number] => [
    treeShare(server.pid).cpuMs,
    attackers === undefined ? 0 : treeShare(attackers).cpuMs
  ]
  await server.figures()
  const [serverMs, attackersMs] = spent()
  const beganMs = performance.now()
  const times = await film(seconds)
  const [serverEndMs, attackersEndMs] = spent()
  plays[round].push({
    times,
    wallMs: performance.now() - beganMs,
    serverMs: serverEndMs - serverMs,
    attackersMs: attackersEndMs - attackersMs
  })
  const { loopMaxMs, loopP99Ms, gcMs } = await server.figures()
  const own = Object.entries({ loopMaxMs, loopP99Ms, gcMs }).map(([name, ms]) => `${name} ${ms.toFixed(0)}`)
  process.stderr.write(`${round}: ${own.join(', ')}\n`)
}

async function film(forSeconds: number): Promise<FrameTimes[]> {
  const signal = AbortSignal.timeout(forSeconds * 1000)
  await Promise.all(cameras.map((stream) => stream.play(1000 / fps, signal)))
  while (cameras.some((stream) => stream.numWaiting > 0 && stream.faults.length === 0)) await wait(20)
  return cameras.flatMap((stream) => stream.takeTimes())
}

/** Of the server once it is back to what it had, or after some time. */
async function settledBytes(): Promise<number> {
  const until = performance.now() + Number(values.settle) * 1000
  for (;;) {
    await film(1)
    const { bytes } = treeShare(server.pid)
    if (bytes <= before.bytes * 1.1 || performance.now() > until) return bytes
  }
}

function line({ times, wallMs, serverMs, attackersMs }: Play): string {
  const parts = (['wholeMs', 'queueMs', 'stepMs', 'restMs'] as const).map((part) => {
    const all = times.map((time) => time[part])
    return `${part} ${percentile(all, 0.5).toFixed(0)}/${percentile(all, 0.99).toFixed(0)}`
  })
  const cores = [serverMs, attackersMs].map((ms) => (ms / wallMs).toFixed(2))
  return `${parts.join(' ')}; cores: server ${cores[0]}, attackers ${cores[1]}`
}

function reportAll(): void {
  const whose = strangers.length === 1 ? '' : ` with ${strangers.length} keys`
  const what = `${numCameras} cameras at ${fps} frames/s beside ${numAttackers} hostile clients${whose}`
  for (const round of ['calm', 'hostile'] as const)
    for (const each of plays[round]) process.stderr.write(`${round}: ${line(each)}\n`)
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99]
  ] as const) {
    const [calm, hostile] = (['calm', 'hostile'] as const).map((round) =>
      percentile(
        plays[round].flatMap(({ times }) => times.map(({ wholeMs }) => wholeMs)),
        share
      )
    ) as [number, number]
    const to = `the same without them (${Number(calm.toPrecision(3))} ms)`
    const value = Number(hostile.toPrecision(3))
    report({ name: `${what}: latency ${name}`, value, unit: 'ms', ratio: hostile / calm, to })
  }
  const [calm, hostile] = [cores('calm', 'serverMs'), cores('hostile', 'serverMs')]
  report({
    ...{
      name: `${what}: processor time of the server`,
      value: hostile,
      unit: 'cores',
      ratio: hostile / calm
    },
    to: `the same without them (${Number(calm.toPrecision(3))} cores)`
  })
  report({
    name: `${what}: processor time of the attackers`,
    value: cores('hostile', 'attackersMs'),
    unit: 'cores'
  })
  report({ name: `${what}: frames sent`, value: sent, unit: '' })
  report({ name: `${what}: frames lost`, value: lost, unit: '' })
  report({
    name: `${what}: attacks that the server ended`,
    value: [...ends.values()].reduce((a, b) => a + b, 0),
    unit: ''
  })
  report({
    ...{ name: `${what}: memory afterwards`, value: mib(bytesAfter), unit: 'MiB' },
    ...{ ratio: bytesAfter / before.bytes, to: 'before' }
  })
}

function cores(round: Round, of: 'serverMs' | 'attackersMs'): number {
  const sum = (part: 'serverMs' | 'attackersMs' | 'wallMs') =>
    plays[round].reduce((all, each) => all + each[part], 0)
  return Number((sum(of) / sum('wallMs')).toPrecision(3))
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}

function isWanted(name: string): boolean {
  return name.includes(values.kinds ?? '')
}
