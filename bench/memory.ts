/**
 * Resident memory that each further session takes, against the bytes that the engine reserves for it: ViT-S layout with
 * random weights, 252x448, a window of 16, on both executors. One process per executor, because freed memory stays.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { buildExecutor } from '../src/inference/executors/build.ts'
import type { Plan } from '../src/inference/executor.ts'
import { digestOf } from '../src/inference/weights/digest.ts'
import { writeSafetensors } from '../src/inference/weights/safetensors-writer.ts'
import { randomWeights } from './random-weights.ts'
import { report } from './report.ts'
import { vits } from './vits.ts'

const sessions = 8
const size = { height: 252, width: 448 }
const specs = {
  'ort-node': { kind: 'ort-node', threads: 1 },
  'ort-capi': { kind: 'ort-capi', device: 'cpu' }
} as const
type Name = keyof typeof specs

interface Measured {
  residentBytes: number
  reservedBytes: number
}

const child = process.argv[2] as Name | undefined
if (child) process.send?.(await measure(child))
else for (const name of Object.keys(specs)) reportOne(name, await measureInProcess(name))

async function measureInProcess(name: string): Promise<Measured> {
  const process = fork(fileURLToPath(import.meta.url), [name], {
    execArgv: ['--import', 'tsx', '--expose-gc']
  })
  const [measured] = (await once(process, 'message')) as [Measured]
  return measured
}

async function measure(name: Name): Promise<Measured> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-bench-'))
  const executor = await buildExecutor(specs[name])
  try {
    const bytes = writeSafetensors(randomWeights(vits, 1), 'float32')
    const weightsPath = path.join(folder, 'model.safetensors')
    await writeFile(weightsPath, bytes)
    const plan: Plan = {
      ...{ weightsPath, digest: digestOf(bytes), architecture: vits, ...size },
      ...{ mode: 'ovda', cacheSize: 16, attendSelf: false, precision: 'fp32' }
    }
    const model = await executor.load(plan)
    const cache = new Uint8Array(executor.stateBytes(plan)).fill(1)
    const open = async (): Promise<void> => {
      const state = await executor.importState(model, cache)
      const frame = new Uint8Array(size.height * size.width * 3)
      await executor.step(model, [{ state, framesSeen: plan.cacheSize, frame }])
    }
    await open()
    const before = await settledBytes()
    for (let session = 0; session < sessions; session++) await open()
    const residentBytes = ((await settledBytes()) - before) / sessions
    return { residentBytes, reservedBytes: executor.stateBytes(plan) }
  } finally {
    await executor.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** What a collection frees is given back a moment later: the cache of the warm-up is as large as a session's. */
async function settledBytes(): Promise<number> {
  for (let collection = 0; collection < 3; collection++) {
    globalThis.gc?.()
    await delay(200)
  }
  return process.memoryUsage.rss()
}

function reportOne(name: string, { residentBytes, reservedBytes }: Measured): void {
  report({
    ...{ name: `resident memory per session, ${name}, ViT-S ${size.width}x${size.height}, c16`, unit: 'MiB' },
    ...{ value: residentBytes / 2 ** 20, ratio: residentBytes / reservedBytes, to: 'bytes reserved for it' }
  })
}
