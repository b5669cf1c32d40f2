import { randomUUID } from 'node:crypto'
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../../errors.ts'
import type { Architecture, Manifest } from '../../manifest.ts'
import { digestOf } from '../weights/digest.ts'
import { expectedWeights } from '../weights/expected-weights.ts'
import { readSafetensorsFile } from '../weights/safetensors-reader.ts'
import { writeSafetensors, type StoredDtype } from '../weights/safetensors-writer.ts'
import { readTorchCheckpointFile } from '../weights/torch-checkpoint.ts'
import type { WeightsMap } from '../weights/weights-map.ts'
import { deriveArchitecture } from './derive-architecture.ts'
import type { LibraryModel } from './library.ts'
import { checkManifest, manifestFileName } from './manifest-file.ts'

const weightsFileName = 'model.safetensors'
const FLOAT16_MAX = 65504

export interface AddModelOptions {
  /** Folder of models; the model gets a folder of its own name in it. */
  modelsDir: string
  name: string
  /** SPDX identifier of the weights' licence. */
  license: string
  /** For people. Default: the name. */
  title?: string
  /** Whether the licence forbids commercial use. Default: whether its identifier says so ("-NC"). */
  nonCommercial?: boolean
  /** How weights are stored. @default 'float16' */
  dtype?: StoredDtype
  /** Windows that sessions may ask for; the last is the default. @default [8, 16] */
  cacheSizes?: readonly number[]
  /** Whether frames attend to their own latent, which is a matter of training. @default false */
  attendSelf?: boolean
}

/**
 * Adds a checkpoint in the layout of Video Depth Anything: a PyTorch state dict (.pth) or .safetensors. The folder
 * appears whole or not at all. Throws MODEL_FILE_INVALID when the file is not such a checkpoint or the name is taken.
 */
export async function addModel(checkpointPath: string, options: AddModelOptions): Promise<LibraryModel> {
  const directory = path.join(options.modelsDir, options.name)
  const weights = checkpointPath.endsWith('.safetensors')
    ? await readSafetensorsFile(checkpointPath)
    : await readTorchCheckpointFile(checkpointPath)
  const architecture = deriveArchitecture(weights, checkpointPath)
  const dtype = options.dtype ?? 'float16'
  const bytes = writeSafetensors(usedWeights(weights, architecture, dtype), dtype)
  const manifest = checkManifest(describe(options, architecture, dtype, bytes), 'The manifest of the new model')
  if (await exists(directory))
    throw new LeadlineError('MODEL_FILE_INVALID', `${directory} exists; choose another name or remove it first`)
  const draft = path.join(options.modelsDir, `.adding-${randomUUID()}`)
  try {
    await mkdir(draft, { recursive: true })
    await writeFile(path.join(draft, weightsFileName), bytes)
    await writeFile(path.join(draft, manifestFileName), `${JSON.stringify(manifest, null, 2)}\n`)
    await rename(draft, directory)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return { manifest, weightsPath: path.join(directory, weightsFileName), directory }
}

/** Tensors that the network reads; official checkpoints hold a few more. */
function usedWeights(weights: WeightsMap, architecture: Architecture, dtype: StoredDtype): WeightsMap {
  const expected = expectedWeights(architecture)
  const used = [...weights].filter(([name]) => expected.has(name))
  for (const [name, { data }] of dtype === 'float16' ? used : []) {
    const tooLarge = data.find((value) => !(Math.abs(value) <= FLOAT16_MAX))
    if (tooLarge !== undefined)
      throw new LeadlineError('MODEL_FILE_INVALID', `'${name}' holds ${tooLarge}; store the model as float32`)
  }
  return new Map(used)
}

function describe(
  options: AddModelOptions,
  architecture: Architecture,
  dtype: StoredDtype,
  bytes: Uint8Array
): Manifest {
  const { name, license, title = name, cacheSizes = [8, 16], attendSelf = false } = options
  return {
    schema: 1,
    name,
    title,
    license,
    nonCommercial: options.nonCommercial ?? /-NC\b/i.test(license),
    quantity: 'relative-inverse-depth',
    weights: { file: weightsFileName, sha256: digestOf(bytes), bytes: bytes.length, dtype },
    architecture: { family: 'video-depth-anything', ...architecture },
    temporal: {
      modes: ['ovda', 'single'],
      cacheSizes: [...cacheSizes],
      defaultCacheSize: cacheSizes.at(-1) ?? 0,
      attendSelf
    },
    // 280 x 924 pixels, the largest size that the method's authors report.
    resolution: { multiple: architecture.patch, lowerBound: 280, maxArea: 258_720 }
  }
}

async function exists(target: string): Promise<boolean> {
  try {
    await access(target)
    return true
  } catch {
    return false
  }
}
