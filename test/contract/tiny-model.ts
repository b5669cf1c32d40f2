import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { digestOf } from '../../src/inference/weights/digest.ts'
import { expectedWeights } from '../../src/inference/weights/expected-weights.ts'
import { writeSafetensors } from '../../src/inference/weights/safetensors-writer.ts'
import type { WeightsMap } from '../../src/inference/weights/weights-map.ts'
import { elementCount } from '../../src/inference/weights/weights-map.ts'
import type { Architecture } from '../../src/manifest.ts'
import { tinyArchitecture } from '../inference/tiny-architecture.ts'

export interface TinyModel {
  weightsPath: string
  digest: string
  architecture: Architecture
  remove(): Promise<void>
}

/** A network of seeded random weights, small enough to be built in a test, lively enough that every input matters. */
export async function writeTinyModel(architecture = tinyArchitecture): Promise<TinyModel> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-tiny-'))
  const bytes = writeSafetensors(randomWeights(architecture), 'float32')
  const weightsPath = path.join(folder, 'model.safetensors')
  await writeFile(weightsPath, bytes)
  return {
    weightsPath,
    digest: digestOf(bytes),
    architecture,
    remove: () => rm(folder, { recursive: true, force: true })
  }
}

function randomWeights(architecture: Architecture): WeightsMap {
  let state = 1
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
  const weights = new Map<string, { shape: number[]; data: Float32Array }>()
  for (const [name, expected] of expectedWeights(architecture)) {
    const shape = expected.map((size) => size ?? 32)
    const fanIn = elementCount(shape.slice(1))
    const spread = shape.length > 1 ? Math.sqrt(3 / fanIn) : 0.1
    const centre = shape.length === 1 && !name.endsWith('.bias') ? 1 : 0
    const data = Float32Array.from({ length: elementCount(shape) }, () => centre + spread * uniform())
    // The last layer is cut off at 0; lifted, none of its values is.
    if (/output_conv2(\.2)?\.bias$/.test(name)) data.fill(5)
    weights.set(name, { shape, data })
  }
  return weights
}
