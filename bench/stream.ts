/**
 * End to end through the WebSocket in embedded mode, against the bare executor on the same frames in the same run.
 * Server in this process (its executor in a child, one thread), client in another; rounds of both in turn.
 */
import { fork } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pino } from 'pino'
import { loadConfig } from '../src/config.ts'
import { startServer } from '../src/server.ts'
import { median, percentile, report } from './report.ts'
import { benchModel, writeModelFolder } from './stream/model-folder.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const framesPerRound = 96
/** The delay histogram counts its own timer's period; what lies above it is the block. */
const samplingMs = 5

interface Timing {
  fps: number
  latenciesMs: number[]
}

/**
 * Run one side in a process of its own and take the timing it sends. Its first message says that frames begin: to start
 * a process blocks ours for a while, and that is not the gateway's doing.
 */
function timed(side: 'bare' | 'client', args: string[] = [], onFirstFrame = (): void => {}): Promise<Timing> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL(`./stream/${side}.ts`, import.meta.url), [String(framesPerRound), ...args], {
      execArgv: ['--import', 'tsx']
    })
    child.on('message', (message: 'first frame' | Timing) => {
      if (message === 'first frame') onFirstFrame()
      else resolve(message)
    })
    child.once('exit', (code) => reject(new Error(`${side} ended with ${code} and no timing`)))
  })
}

const modelFolder = await writeModelFolder()
// Both sides read their configuration from here.
Object.assign(process.env, { LEADLINE_MODELS_DIR: modelFolder, LEADLINE_MODEL: benchModel })
const config = { ...loadConfig(), port: 0, threads: 1, redisUrl: null }
const server = await startServer(config, pino({ level: 'warn' }, pino.destination(2)))
/** One per round: a histogram that pauses counts the pause. */
const blocks: { longestMs: number; p99Ms: number }[] = []
const bare: Timing[] = []
const streamed: Timing[] = []
try {
  // The first stream builds and loads the network for this size; it is not counted.
  await timed('client', [server.url])
  for (let round = 0; round < rounds; round++) {
    bare.push(await timed('bare'))
    const delay = monitorEventLoopDelay({ resolution: samplingMs })
    streamed.push(await timed('client', [server.url], () => delay.enable()))
    delay.disable()
    process.stderr.write(
      `round ${round + 1}: ${JSON.stringify({ bare: bare.at(-1)?.fps, streamed: streamed.at(-1)?.fps, maxMs: delay.max / 1e6, p99: delay.percentile(99) / 1e6 })}\n`
    )
    blocks.push({ longestMs: delay.max / 1e6 - samplingMs, p99Ms: delay.percentile(99) / 1e6 - samplingMs })
  }
} finally {
  await server.close()
  await rm(modelFolder, { recursive: true })
}

const share = median(streamed.map((timing, round) => timing.fps / (bare[round]?.fps ?? NaN)))
const latenciesMs = streamed.flatMap((timing) => timing.latenciesMs)
const size = 'nano, 192x352, c16, 1 thread'
report({ name: `bare executor, ${size}`, value: median(bare.map(({ fps }) => fps)), unit: 'frames/s' })
report({
  ...{
    name: `through the WebSocket, ${size}`,
    value: median(streamed.map(({ fps }) => fps)),
    unit: 'frames/s'
  },
  ...{ ratio: share, to: 'bare executor' }
})
report({ name: 'latency p50, 4 frames in flight', value: median(latenciesMs), unit: 'ms' })
report({ name: 'latency p95, 4 frames in flight', value: percentile(latenciesMs, 0.95), unit: 'ms' })
report({
  ...{ name: 'longest block of the gateway’s event loop', unit: 'ms' },
  value: Math.max(...blocks.map(({ longestMs }) => longestMs))
})
report({
  ...{ name: 'block of the gateway’s event loop, p99, median round', unit: 'ms' },
  value: median(blocks.map(({ p99Ms }) => p99Ms))
})
