import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import type { Precision } from '../src/manifest.ts'
import { OrtNodeExecutor } from '../src/inference/executors/ort-node/ort-node.ts'
import { digestOf } from '../src/inference/weights/digest.ts'
import { writeSafetensors } from '../src/inference/weights/safetensors-writer.ts'
import { randomNumbers, randomWeights } from './random-weights.ts'
import { median, report } from './report.ts'
import { vits } from './vits.ts'

/**
 * Our step, in float32 and in int8, against the same network in PyTorch eager, in turns in one run: ViT-S
 * layout with random weights, cache full.
 *
 *     LEADLINE_PYTHON=python3 npx tsx bench/engine.ts [--threads 1,2] [--rounds 5] [--frames 6]
 *
 * Wall time and the process's own CPU time per frame; on a shared machine only the latter means something.
 */
const { values: options } = parseArgs({
  options: {
    height: { type: 'string', default: '252' },
    width: { type: 'string', default: '448' },
    'cache-size': { type: 'string', default: '16' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '5' },
    frames: { type: 'string', default: '6' }
  }
})
const [height, width, cacheSize] = [options.height, options.width, options['cache-size']].map(Number) as [
  number,
  number,
  number
]
const rounds = Number(options.rounds)
const numFrames = Number(options.frames)

interface Timing {
  wallMs: number
  cpuMs: number
}

for (const threads of options.threads.split(',').map(Number)) await compare(threads)

async function compare(threads: number): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-bench-'))
  const executor = new OrtNodeExecutor({ threads })
  try {
    const [eager, fp32, int8]: [Timing[], Timing[], Timing[]] = [[], [], []]
    const weightsPath = path.join(folder, 'model.safetensors')
    const runFp32 = await prepare(executor, weightsPath, 'fp32')
    const runInt8 = await prepare(executor, weightsPath, 'int8')
    for (let round = 0; round < rounds; round++) {
      eager.push(await runEager(threads))
      fp32.push(...(await runFp32()))
      int8.push(...(await runInt8()))
    }
    reportAll(threads, { eager: summary(eager), fp32: summary(fp32), int8: summary(int8) })
  } finally {
    await executor.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Loads the network and fills the cache; every call of the result times `numFrames` frames. */
async function prepare(
  executor: OrtNodeExecutor,
  weightsPath: string,
  precision: Precision
): Promise<() => Promise<Timing[]>> {
  const bytes = writeSafetensors(randomWeights(vits, 1), 'float32')
  await writeFile(weightsPath, bytes)
  const model = await executor.load({
    weightsPath,
    digest: digestOf(bytes),
    architecture: vits,
    mode: 'ovda',
    height,
    width,
    cacheSize,
    attendSelf: false,
    precision
  })
  const state = await executor.newState(model)
  const next = randomNumbers(2)
  const frame = Uint8Array.from({ length: height * width * 3 }, () => 255 * (next() + 0.5))
  let framesSeen = 0
  const step = async (): Promise<Timing> => {
    const started = performance.now()
    const cpuStarted = process.cpuUsage()
    await executor.step(model, [{ state, framesSeen, frame }])
    const { user, system } = process.cpuUsage(cpuStarted)
    framesSeen += 1
    return { wallMs: performance.now() - started, cpuMs: (user + system) / 1000 }
  }
  while (framesSeen < cacheSize + 3) await step()
  return async () => {
    const timings: Timing[] = []
    while (timings.length < numFrames) timings.push(await step())
    return timings
  }
}

async function runEager(threads: number): Promise<Timing> {
  const python = process.env.LEADLINE_PYTHON ?? 'python3'
  const args = `-m leadline_models.bench_eager --height ${height} --width ${width} --cache-size ${cacheSize}`
  const { stdout } = await promisify(execFile)(
    python,
    `${args} --threads ${threads} --frames ${numFrames} --arch vits`.split(' '),
    {
      cwd: fileURLToPath(new URL('../models', import.meta.url)),
      env: { ...process.env, OMP_NUM_THREADS: String(threads) }
    }
  )
  const result = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, number>
  return { wallMs: result.ms_per_frame_median!, cpuMs: result.cpu_ms_per_frame_median! }
}

function summary(timings: readonly Timing[]): Timing {
  return {
    wallMs: median(timings.map(({ wallMs }) => wallMs)),
    cpuMs: median(timings.map(({ cpuMs }) => cpuMs))
  }
}

function reportAll(threads: number, { eager, fp32, int8 }: Record<'eager' | 'fp32' | 'int8', Timing>): void {
  const setting = `ViT-S ${width}x${height}, c${cacheSize}, ${threads} thread${threads === 1 ? '' : 's'}`
  const clocks = [
    ['CPU time', 'cpuMs'],
    ['wall time', 'wallMs']
  ] as const
  for (const [clock, key] of clocks) {
    const perSecond = (timing: Timing): number => 1000 / timing[key]
    const line = (what: string, timing: Timing, to: string, other: Timing): void =>
      report({
        ...{ name: `${setting}, by ${clock}${what}`, value: perSecond(timing), unit: 'frames/s' },
        ...{ ratio: perSecond(timing) / perSecond(other), to }
      })
    const reference = 'the same network in PyTorch eager'
    line('', fp32, reference, eager)
    line(', int8', int8, reference, eager)
    line(', int8', int8, 'float32', fp32)
    report({ name: `${setting}, by ${clock}, PyTorch eager`, value: perSecond(eager), unit: 'frames/s' })
  }
}
