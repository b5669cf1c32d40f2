/**
 * What honest streams suffer from hostile clients: `npm run bench hostile`. A server in a process of its own, asking for keys;
 * four cameras; and beside them, in every second round, 50 attackers in a third process, of each kind of
 * bench/hostile/attacks.ts some, with a key that has limits, each attack begun again when the server has ended it. The
 * attackers yield to everybody else (nice). Ratios are of all hostile rounds to all calm ones. Exit code 1 where a frame
 * was lost, or an attack ended otherwise than is listed. Linux only.
 */
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { FolderKeyStore } from '../src/access/folder/folder-key-store.ts'
import { mintKey } from '../src/access/index.ts'
import type { KeyLimits } from '../src/access/index.ts'
import type { Ended } from './hostile/attackers.ts'
import { attacks, isListed } from './hostile/attacks.ts'
import { HonestStream } from './hostile/honest.ts'
import { treeBytes } from './hostile/tree-bytes.ts'
import { noisyJpeg } from './noisy-jpeg.ts'
import { percentile, report } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '15' },
    attackers: { type: 'string', default: '50' },
    fps: { type: 'string', default: '4' }
  }
})
const [rounds, seconds, numAttackers, fps] = [
  values.rounds,
  values.seconds,
  values.attackers,
  values.fps
].map(Number) as [number, number, number, number]
const numCameras = 4
/** How long memory may take to come back. */
const memoryMs = 120_000

const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-hostile-'))
const keys = new FolderKeyStore(path.join(folder, 'keys'))

async function keyWith(name: string, limits: KeyLimits): Promise<string> {
  const { key, value } = mintKey({ name, scopes: ['stream', 'depth'], limits, expiresAtMs: null }, Date.now())
  await keys.add(key)
  return value
}

const [camera, stranger] = [
  await keyWith('camera', {}),
  await keyWith('stranger', {
    sessions: 16,
    framesPerSecond: 4,
    megapixelsPerSecond: 40,
    requestsPerMinute: 600
  })
]
const server = spawn(
  process.execPath,
  [
    '--require',
    './src/thread-pool.cjs',
    '--import',
    'tsx',
    'src/cli.ts',
    'serve',
    '--port',
    '0',
    '--host',
    '127.0.0.1'
  ],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{
        LEADLINE_DATA_DIR: folder,
        LEADLINE_AUTH: 'keys',
        LEADLINE_LOG_LEVEL: 'error',
        LEADLINE_THREADS: '1'
      }
    }
  }
)
process.on('exit', () => server.kill('SIGKILL'))
const url = await addressOf(server.stdout)
const jpeg = await noisyJpeg({ width: 320, height: 240 })
const cameras = await Promise.all(
  Array.from({ length: numCameras }, () => HonestStream.open(url, camera, jpeg))
)
const latenciesMs: Record<'calm' | 'hostile', number[]> = { calm: [], hostile: [] }
const ends = new Map<string, number>()
let unlisted = 0

await play(seconds, 'calm')
latenciesMs.calm = []
const bytesBefore = treeBytes(server.pid!)
for (let round = 0; round < rounds; round++) {
  await play(seconds, 'calm')
  const target = { url, key: stranger, localAddress: '127.0.0.2' }
  const child = fork(
    new URL('./hostile/attackers.ts', import.meta.url),
    [JSON.stringify(target), String(numAttackers)],
    {
      execArgv: ['--import', 'tsx']
    }
  )
  child.on('message', ({ attack, end }: Ended) => {
    ends.set(`${attack}: ${end}`, (ends.get(`${attack}: ${end}`) ?? 0) + 1)
    if (!isListed(attacks[attack]!, end)) unlisted += 1
  })
  await once(child, 'message')
  await play(seconds, 'hostile')
  child.send('stop')
  await once(child, 'exit')
}
const bytesAfter = await settledBytes()
const faults = cameras.flatMap((stream) => stream.faults)
const sent = cameras.reduce((sum, stream) => sum + stream.numSent, 0)
const lost = faults.length + cameras.reduce((sum, stream) => sum + stream.numWaiting, 0)
for (const stream of cameras) stream.close()
server.kill('SIGTERM')
await once(server, 'exit')
await rm(folder, { recursive: true })

for (const [end, times] of [...ends].sort()) process.stderr.write(`${times} x ${end}\n`)
for (const fault of faults) process.stderr.write(`${fault}\n`)
const what = `${numCameras} cameras at ${fps} frames/s beside ${numAttackers} hostile clients`
for (const [name, share] of [
  ['p50', 0.5],
  ['p99', 0.99]
] as const) {
  const [calm, hostile] = [percentile(latenciesMs.calm, share), percentile(latenciesMs.hostile, share)]
  const to = `the same without them (${Number(calm.toPrecision(3))} ms)`
  report({
    name: `${what}: latency ${name}`,
    value: Number(hostile.toPrecision(3)),
    unit: 'ms',
    ratio: hostile / calm,
    to
  })
}
report({ name: `${what}: frames sent`, value: sent, unit: '' })
report({ name: `${what}: frames lost`, value: lost, unit: '' })
report({
  name: `${what}: attacks that the server ended`,
  value: [...ends.values()].reduce((a, b) => a + b, 0),
  unit: ''
})
report({
  ...{ name: `${what}: memory afterwards`, value: Math.round(bytesAfter / 2 ** 20), unit: 'MiB' },
  ...{ ratio: bytesAfter / bytesBefore, to: 'before' }
})
process.exit(lost + unlisted > 0 ? 1 : 0)

async function play(forSeconds: number, kind: 'calm' | 'hostile'): Promise<void> {
  const signal = AbortSignal.timeout(forSeconds * 1000)
  await Promise.all(cameras.map((stream) => stream.play(1000 / fps, signal)))
  while (cameras.some((stream) => stream.numWaiting > 0 && stream.faults.length === 0)) await wait(20)
  latenciesMs[kind].push(...cameras.flatMap((stream) => stream.takeLatencies()))
}

/** Of the server once it is back to what it had, or after some time. */
async function settledBytes(): Promise<number> {
  const until = performance.now() + memoryMs
  for (;;) {
    await play(1, 'calm')
    const bytes = treeBytes(server.pid!)
    if (bytes <= bytesBefore * 1.1 || performance.now() > until) return bytes
  }
}

async function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const address = /http:\/\/[\d.]+:\d+/.exec(line)?.[0]
    if (address !== undefined) return address
  }
  throw new Error('the server did not start')
}
