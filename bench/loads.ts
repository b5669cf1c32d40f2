import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import type { Manifest } from '../src/manifest.ts'
import type { Plan } from '../src/inference/executor.ts'
import type { ExecutorSpec } from '../src/inference/executors/spec.ts'
import { ProcessExecutor } from '../src/inference/executors/process/process.ts'
import { digestOf } from '../src/inference/weights/digest.ts'
import { writeSafetensors } from '../src/inference/weights/safetensors-writer.ts'
import { randomWeights } from './random-weights.ts'
import { median, report } from './report.ts'
import { vits } from './vits.ts'

/**
 * What a stream feels of another model's load: its longest gap between two depth maps while ViT-S with random weights is
 * loaded, beside how long that load takes and its gaps when nothing is loaded.
 *
 *     npx tsx bench/loads.ts
 */
const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const calmFrames = 30

const bundle = fileURLToPath(new URL('../models/leadline-nano/', import.meta.url))
const manifest = JSON.parse(await readFile(path.join(bundle, 'manifest.json'), 'utf8')) as Manifest
const live: Plan = {
  ...{ weightsPath: path.join(bundle, manifest.weights.file), digest: manifest.weights.sha256 },
  ...{ architecture: manifest.architecture, mode: 'ovda', cacheSize: 16, attendSelf: false },
  ...{ height: 160, width: 288, precision: 'fp32' }
}

const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-bench-'))
try {
  const weightsPath = path.join(folder, 'model.safetensors')
  const bytes = writeSafetensors(randomWeights(vits, 1), 'float32')
  await writeFile(weightsPath, bytes)
  const other = { ...live, weightsPath, digest: digestOf(bytes), architecture: vits, height: 252, width: 448 }
  await measure({ kind: 'ort-node', threads: 1 }, other)
  await measure({ kind: 'ort-capi', device: 'cpu', threads: 1 }, other)
} finally {
  await rm(folder, { recursive: true })
}

async function measure(spec: ExecutorSpec, other: Plan): Promise<void> {
  const executor = await ProcessExecutor.start({ spec, log: pino({ level: 'silent' }) })
  try {
    const step = await stream(executor)
    const calm: number[] = []
    const longest: number[] = []
    const loads: number[] = []
    for (let round = 0; round < rounds; round++) {
      const before: number[] = []
      while (before.length < calmFrames) before.push(await step())
      calm.push(Math.max(...before))
      const startedMs = performance.now()
      const load = { isOver: false, model: executor.load(other) }
      void load.model.then(() => (load.isOver = true))
      const gaps: number[] = []
      while (!load.isOver) gaps.push(await step())
      loads.push(performance.now() - startedMs)
      longest.push(Math.max(...gaps))
      process.stderr.write(
        `${spec.kind}: ${gaps.length} depth maps in a load of ${Math.round(loads.at(-1)!)} ms\n`
      )
      await executor.unload(await load.model)
    }
    const of = `${spec.kind} on the CPU, 1 thread`
    const share = median(longest.map((ms, round) => ms / loads[round]!))
    report({ name: `load of ViT-S 448x252, ${of}`, value: median(loads), unit: 'ms' })
    report({ name: `longest gap of a stream without a load, ${of}`, value: median(calm), unit: 'ms' })
    report({
      ...{ name: `longest gap of a stream during that load, ${of}`, value: median(longest), unit: 'ms' },
      ...{ ratio: share, to: 'the load' }
    })
  } finally {
    await executor.close()
  }
}

/** Steps the next frame of a stream of leadline-nano, and says how long it was, in milliseconds. */
async function stream(executor: ProcessExecutor): Promise<() => Promise<number>> {
  const model = await executor.load(live)
  const state = await executor.newState(model)
  const frame = new Uint8Array(live.width * live.height * 3).fill(120)
  let framesSeen = 0
  return async () => {
    const startedMs = performance.now()
    await executor.step(model, [{ state, framesSeen, frame }])
    framesSeen += 1
    return performance.now() - startedMs
  }
}
