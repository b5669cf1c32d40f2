import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connectStream } from '../src/client/index.ts'
import { freePort } from '../test/helpers/free-port.ts'
import { makeProgram } from './faults/program.ts'
import { median, report } from './report.ts'

/**
 * Cold start of `leadline serve` with its bundled model: from the start of the process until it is ready, and until a
 * client that waited for that has the first depth map of a 640x360 stream. As it is installed and from source, in turns.
 *
 *     npx tsx bench/start.ts
 */
const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const size = { width: 640, height: 360 }
const lookMs = 10

interface Start {
  readyMs: number
  depthMs: number
}

const root = fileURLToPath(new URL('..', import.meta.url))
const fromSource = ['--require', './src/thread-pool.cjs', '--import', 'tsx', 'src/cli.ts']
const program = await makeProgram()
const installed: Start[] = []
const source: Start[] = []
try {
  for (let round = 0; round < rounds; round++) {
    installed.push(await start(program.args))
    source.push(await start(fromSource))
    process.stderr.write(`round ${round + 1}: ${JSON.stringify([installed.at(-1), source.at(-1)])}\n`)
  }
} finally {
  await program.remove()
}
tell('installed', installed)
tell('from source', source)

/** One process, from its start to the first depth map that it gives, and its end. */
async function start(args: readonly string[]): Promise<Start> {
  const port = await freePort()
  const env = { ...process.env, LEADLINE_PORT: String(port), LEADLINE_HOST: '127.0.0.1' }
  const startedMs = performance.now()
  const child = spawn(process.execPath, [...args, 'serve'], { cwd: root, env, stdio: 'ignore' })
  const exited = once(child, 'exit')
  try {
    const url = `http://127.0.0.1:${port}`
    while (!(await isReady(url))) {
      if (child.exitCode !== null) throw new Error(`"leadline serve" ended with ${child.exitCode}`)
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    }
    const readyMs = performance.now() - startedMs
    const stream = await connectStream({ url })
    const data = new Uint8Array(size.width * size.height * 3).fill(120)
    await stream.send({ data, codec: 'rgb24', ...size })
    await stream.results[Symbol.asyncIterator]().next()
    const depthMs = performance.now() - startedMs
    await stream.close()
    return { readyMs, depthMs }
  } finally {
    child.kill()
    await exited
  }
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false
  )
}

function tell(how: string, starts: readonly Start[]): void {
  const depth = median(starts.map(({ depthMs }) => depthMs))
  report({
    ...{ name: `start of the process → ready, ${how}`, unit: 'ms' },
    value: median(starts.map(({ readyMs }) => readyMs)),
    ...{ ratio: median(starts.map(({ readyMs, depthMs }) => readyMs / depthMs)), to: 'first depth map' }
  })
  report({ name: `start of the process → first depth map at a client, ${how}`, value: depth, unit: 'ms' })
}
