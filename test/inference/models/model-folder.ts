import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { randomWeights } from '../../../bench/random-weights.ts'
import type { Manifest } from '../../../src/manifest.ts'
import { digestOf } from '../../../src/inference/weights/digest.ts'
import { writeSafetensors } from '../../../src/inference/weights/safetensors-writer.ts'
import { tinyArchitecture } from '../tiny-architecture.ts'

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-models-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function tinyManifest(bytes: Uint8Array, changes: Partial<Manifest> = {}): Manifest {
  return {
    schema: 1,
    name: 'tiny',
    title: 'Tiny (random weights)',
    license: 'Apache-2.0',
    nonCommercial: false,
    quantity: 'relative-inverse-depth',
    weights: { file: 'model.safetensors', sha256: digestOf(bytes), bytes: bytes.length, dtype: 'float32' },
    architecture: { family: 'video-depth-anything', ...tinyArchitecture },
    temporal: { modes: ['ovda', 'single'], cacheSizes: [4, 8], defaultCacheSize: 4, attendSelf: false },
    resolution: { multiple: 14, lowerBound: 42, maxArea: 14_000 },
    ...changes
  }
}

/** Writes a tiny model with random weights into a folder of models. */
export async function writeTinyModel(modelsDir: string, changes: Partial<Manifest> = {}): Promise<Manifest> {
  const bytes = writeSafetensors(randomWeights(tinyArchitecture, 1), 'float32')
  const manifest = tinyManifest(bytes, changes)
  const directory = path.join(modelsDir, manifest.name)
  await mkdir(directory, { recursive: true })
  await writeFile(path.join(directory, 'model.safetensors'), bytes)
  await writeFile(path.join(directory, 'manifest.json'), JSON.stringify(manifest))
  return manifest
}
