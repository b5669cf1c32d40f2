import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import pino from 'pino'
import { largestBatch } from '../src/inference/batch-sizes.ts'
import { OrtCapiExecutor } from '../src/inference/executors/ort-capi/ort-capi.ts'
import { ProcessExecutor } from '../src/inference/executors/process/process.ts'
import type { DeviceKind } from '../src/inference/executors/ort-capi/device-spec.ts'
import type { Executor, ModelHandle, Plan, StateHandle } from '../src/inference/executor.ts'
import type { TransferKind, Transfers } from '../src/inference/transfers.ts'
import type { Precision } from '../src/manifest.ts'
import { digestOf } from '../src/inference/weights/digest.ts'
import { writeSafetensors } from '../src/inference/weights/safetensors-writer.ts'
import { bundled } from './bundled.ts'
import { GpuMeter } from './gpu-meter.ts'
import type { GpuLook } from './gpu-meter.ts'
import { randomNumbers, randomWeights } from './random-weights.ts'
import { median, percentile, report } from './report.ts'
import { vits } from './vits.ts'

/**
 * Sessions that share steps against one session alone and against the per-frame network, in turns in one run: frames per
 * second in all, and how long a frame waits for its depth. Each number of sessions is run on the bare executor and, as a
 * server does it, on one in a process of its own. On the CPU batches gain nothing; the bench is for GPUs:
 *
 *     npx tsx bench/batch.ts --device cuda --layout vits --height 280 --width 924 --sessions 1,2,4,8,16,32,64 \
 *         --max-batch 16 --frames 50 [--precision fp16] [--eager]
 *
 * Where nvidia-smi is, it adds how busy the GPU was and what memory was in use on it, by everyone; `--eager` adds the same
 * network in PyTorch (LEADLINE_PYTHON), eager and compiled, one session.
 */
const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    layout: { type: 'string', default: 'nano' },
    height: { type: 'string', default: '96' },
    width: { type: 'string', default: '192' },
    'cache-size': { type: 'string', default: '16' },
    'max-batch': { type: 'string', default: '4' },
    sessions: { type: 'string', default: '1,2,4,8' },
    rounds: { type: 'string', default: '5' },
    frames: { type: 'string', default: '6' },
    precision: { type: 'string', default: 'fp32' },
    eager: { type: 'boolean', default: false }
  }
})
const layouts = { vits, nano: bundled.architecture }
const layout = options.layout as keyof typeof layouts
const [height, width, cacheSize] = [options.height, options.width, options['cache-size']].map(Number) as [
  number,
  number,
  number
]
const [maxBatch, rounds, numFrames] = [options['max-batch'], options.rounds, options.frames].map(Number) as [
  number,
  number,
  number
]
const counts = options.sessions.split(',').map(Number)
const precision = options.precision as Precision
const device = precision === 'fp32' ? options.device : `${options.device} ${precision}`
const setting = `${layout} ${width}x${height}, c${cacheSize}, ${device}, batches up to ${maxBatch}`
const next = randomNumbers(2)
const frame = Uint8Array.from({ length: height * width * 3 }, () => 255 * (next() + 0.5))

interface Stream {
  state: StateHandle
  framesSeen: number
}

/** One round: every session sends `numFrames` frames, all at the same moment. */
interface Round {
  framesPerSecond: number
  fromMs: number
  toMs: number
  /** From the moment a frame is there to its depth, waiting for the batches before it included. */
  waitsMs: number[]
}

await main()

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-bench-'))
  const spec = { kind: 'ort-capi', device: options.device as DeviceKind, maxBatch } as const
  const bare = new OrtCapiExecutor(spec)
  const apart = await ProcessExecutor.start({ spec, log: pino({ level: 'silent' }) })
  const meter = new GpuMeter()
  try {
    const bytes = writeSafetensors(randomWeights(layouts[layout], 1), 'float32')
    const weightsPath = path.join(folder, 'model.safetensors')
    await writeFile(weightsPath, bytes)
    const plan: Plan = {
      ...{ weightsPath, digest: digestOf(bytes), architecture: layouts[layout], height, width },
      ...{ mode: 'ovda', cacheSize, attendSelf: false, precision }
    }
    const cases = [
      { name: 'per-frame network', to: sessions(1), ...(await prepare(bare, { ...plan, mode: 'single' }, 1)) }
    ]
    for (const count of counts) {
      const name = sessions(count)
      cases.push({ name, to: sessions(1), ...(await prepare(bare, plan, count)) })
      cases.push({ name: `${name}, process`, to: name, ...(await prepare(apart, plan, count)) })
    }
    const before = await bare.transfers()
    const measured = new Map<string, Round[]>(cases.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++)
      for (const { name, executor, model, streams } of cases)
        measured.get(name)!.push(await runRound(executor, model, streams))
    const rate = (name: string): number =>
      median(measured.get(name)!.map(({ framesPerSecond }) => framesPerSecond))
    for (const { name, to } of cases) {
      reportCase(name, measured.get(name)!, { ratio: rate(name) / rate(to), to })
      reportGpu(name, meter.during(measured.get(name)!))
    }
    if (options.eager)
      for (const isCompiled of [false, true]) await reportEager(isCompiled, rate(sessions(1)))
    reportTransfers(before, await bare.transfers())
  } finally {
    meter.close()
    await Promise.all([bare.close(), apart.close()])
    await rm(folder, { recursive: true, force: true })
  }
}

async function prepare(executor: Executor, plan: Plan, count: number) {
  const model = await executor.load(plan)
  const streams: Stream[] = []
  while (streams.length < count) streams.push({ state: await executor.newState(model), framesSeen: 0 })
  for (let step = 0; step < 2; step++) await stepAll(executor, model, streams)
  return { executor, model, streams }
}

async function runRound(executor: Executor, model: ModelHandle, streams: Stream[]): Promise<Round> {
  const startedMs = performance.now()
  const waitsMs: number[] = []
  for (let step = 0; step < numFrames; step++) waitsMs.push(...(await stepAll(executor, model, streams)))
  const toMs = performance.now()
  const framesPerSecond = (1000 * numFrames * streams.length) / (toMs - startedMs)
  return { framesPerSecond, fromMs: startedMs, toMs, waitsMs }
}

/** One frame of every stream, in as few batches as there are; what each waited, in milliseconds. */
async function stepAll(executor: Executor, model: ModelHandle, streams: Stream[]): Promise<number[]> {
  const startedMs = performance.now()
  const waitsMs: number[] = []
  while (waitsMs.length < streams.length) {
    const size = largestBatch(streams.length - waitsMs.length, maxBatch)
    const rows = streams.slice(waitsMs.length, waitsMs.length + size)
    await executor.step(
      model,
      rows.map((stream) => ({ state: stream.state, framesSeen: stream.framesSeen++, frame }))
    )
    waitsMs.push(...rows.map(() => performance.now() - startedMs))
  }
  return waitsMs
}

function reportTransfers(before: Transfers, after: Transfers): void {
  const frames = after.frames - before.frames
  const perFrame = (direction: 'toDevice' | 'toHost', kind: TransferKind): number =>
    (after[direction][kind] - before[direction][kind]) / frames
  const line = (what: string, value: number): void =>
    report({ name: `${setting}, ${what}`, value, unit: 'B/frame' })
  line('frames to the device', perFrame('toDevice', 'frame'))
  line('depth to the host', perFrame('toHost', 'depth'))
  line('caches moved', perFrame('toDevice', 'cache') + perFrame('toHost', 'cache'))
}

async function reportEager(isCompiled: boolean, ownRate: number): Promise<void> {
  // PyTorch has no int8 of this network.
  const dtype = precision === 'fp16' ? 'fp16' : 'fp32'
  const args = [
    `-m leadline_models.bench_eager --height ${height} --width ${width} --cache-size ${cacheSize}`,
    `--arch ${layout} --device ${options.device} --precision ${dtype} --frames ${numFrames * rounds}`,
    ...(isCompiled ? ['--compile'] : [])
  ]
  const { stdout } = await promisify(execFile)(
    process.env.LEADLINE_PYTHON ?? 'python3',
    args.flatMap((part) => part.split(' ')),
    { cwd: fileURLToPath(new URL('../models', import.meta.url)) }
  )
  const { fps } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { fps: number }
  const name = isCompiled ? 'torch.compile' : 'PyTorch eager'
  report({ name: `${setting}, ${name}, 1 session`, value: fps, unit: 'frames/s' })
  report({ name: `${setting}, 1 session`, value: ownRate, unit: 'frames/s', ratio: ownRate / fps, to: name })
}

function reportCase(name: string, measured: readonly Round[], compared: { ratio: number; to: string }): void {
  const rate = median(measured.map(({ framesPerSecond }) => framesPerSecond))
  const waits = measured.flatMap(({ waitsMs }) => waitsMs)
  report({ name: `${setting}, ${name}`, value: rate, unit: 'frames/s', ...compared })
  report({ name: `${setting}, ${name}, p50`, value: percentile(waits, 0.5), unit: 'ms' })
  report({ name: `${setting}, ${name}, p99`, value: percentile(waits, 0.99), unit: 'ms' })
}

/** Nothing where no GPU was seen. */
function reportGpu(name: string, looks: readonly GpuLook[]): void {
  if (looks.length === 0) return
  const [busy, used] = [looks.map(({ busyPercent }) => busyPercent), looks.map(({ usedMib }) => usedMib)]
  report({ name: `${setting}, ${name}, GPU busy`, value: median(busy), unit: '%' })
  report({ name: `${setting}, ${name}, GPU memory in use`, value: Math.max(...used), unit: 'MiB' })
}

function sessions(count: number): string {
  return `${count} session${count === 1 ? '' : 's'}`
}
