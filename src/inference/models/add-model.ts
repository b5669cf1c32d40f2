import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { diskFailure } from '../../machine/disk-failure.ts'
import { LeadlineError } from '../../errors.ts'
import { makeFolder } from '../../machine/make-folder.ts'
import type { Architecture, Manifest } from '../../manifest.ts'
import type { Mode } from '../../session.ts'
import { VDA_WINDOW } from '../latents/window.ts'
import { readCheckpointFile } from '../weights/checkpoint-file.ts'
import { sizeMultiple } from '../weights/architecture-rules.ts'
import { digestOf } from '../weights/digest.ts'
import { expectedWeights } from '../weights/expected-weights.ts'
import { videoNames } from '../weights/head-names.ts'
import { startOfMotion } from '../weights/motion-start.ts'
import { writeSafetensors, type StoredDtype } from '../weights/safetensors-writer.ts'
import type { WeightsMap } from '../weights/weights-map.ts'
import { deriveArchitecture } from './derive-architecture.ts'
import type { LibraryModel } from './library.ts'
import { checkManifest, manifestFileName } from './manifest-file.ts'
import { newModelDirectory } from './new-model-directory.ts'

const weightsFileName = 'model.safetensors'
const positionTable =
  'head.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.pos_encoder.pe'
const FLOAT16_MAX = 65504

/** What a checkpoint turned out to hold. */
export interface FoundNetwork {
  sha256: string
  architecture: Architecture
}

export interface AddModelOptions {
  /** Folder of models; the model gets a folder of its own name in it. */
  modelsDir: string
  name: string
  /** SPDX identifier of the weights' licence. */
  license: string
  /** For people; where the file decides it, what throws for one that is not to be added. Default: the name. */
  title?: string | ((found: FoundNetwork) => string)
  /** Whether the licence forbids commercial use. Default: whether its identifier says so ("-NC"). */
  nonCommercial?: boolean
  /** What the network gives. @default 'relative-inverse-depth' */
  quantity?: Manifest['quantity']
  /** Set: the last layer is a sigmoid times this, in metres. Absent: it is a ReLU. */
  maxDepthMetres?: number
  /** How weights are stored. @default 'float16' */
  dtype?: StoredDtype
  /** Windows that sessions may ask for. @default 4 to 32, as far as the model has positions */
  cacheSizes?: readonly number[]
  /** Whether frames attend to their own latent, which is a matter of training. @default false */
  attendSelf?: boolean
  /** Give a network without motion modules new ones that change nothing yet. @default false */
  streaming?: boolean
  /** SHA-256 that the file must have. */
  sha256?: string
  /** Where the file came from, for errors and the manifest. @default its path, its name in the manifest */
  source?: string
}

/**
 * Adds a checkpoint of Video Depth Anything or Depth Anything V2: a PyTorch state dict (.pth) or .safetensors. The
 * folder appears whole or not at all. Throws MODEL_FILE_INVALID when the file is not such a checkpoint or the name is
 * taken, REQUEST_INVALID for a name that cannot be one or a wish that the network cannot meet, STORAGE_FULL and
 * STORAGE_UNUSABLE where the folder cannot be written.
 */
export async function addModel(checkpointPath: string, options: AddModelOptions): Promise<LibraryModel> {
  const directory = await newModelDirectory(options.modelsDir, options.name)
  const { source = checkpointPath, sha256, dtype = 'float16' } = options
  const file = await readCheckpointFile(checkpointPath, { source, ...(sha256 === undefined ? {} : { sha256 }) })
  const { weights, architecture } = network(file.weights, options, source)
  const bytes = writeSafetensors(usedWeights(weights, architecture, dtype), dtype, outputOf(architecture))
  const origin = { name: options.source ?? path.basename(checkpointPath), sha256: file.sha256 }
  const stored = { file: weightsFileName, sha256: digestOf(bytes), bytes: bytes.length, dtype }
  const title = typeof options.title === 'function' ? options.title({ sha256: file.sha256, architecture }) : options.title
  const described = describe({ ...options, title }, architecture, weights.get(positionTable)?.shape[1] ?? 0)
  const manifest = checkManifest({ ...described, weights: stored, source: origin }, 'The manifest of the new model')
  const draft = path.join(options.modelsDir, `.adding-${randomUUID()}`)
  try {
    await makeFolder(draft)
    await writeFile(path.join(draft, weightsFileName), bytes)
    await writeFile(path.join(draft, manifestFileName), `${JSON.stringify(manifest, null, 2)}\n`)
    await rename(draft, directory)
  } catch (cause) {
    throw diskFailure(cause, `The models folder ${options.modelsDir}`, 'LEADLINE_MODELS_DIR') ?? cause
  } finally {
    // Why it could not be written says more than why that could not be removed.
    await rm(draft, { recursive: true, force: true }).catch(() => undefined)
  }
  return { manifest, weightsPath: path.join(directory, weightsFileName), directory }
}

/** The network in a checkpoint, and what was asked for on top of it. */
function network(found: WeightsMap, options: AddModelOptions, source: string) {
  const weights = videoNames(found)
  const architecture: Architecture = {
    ...deriveArchitecture(weights, source),
    ...(options.maxDepthMetres === undefined ? {} : { maxDepthMetres: options.maxDepthMetres })
  }
  if (options.streaming !== true) return { weights, architecture }
  if (architecture.motionModules !== false)
    throw new LeadlineError(
      'REQUEST_INVALID',
      `${source} has motion modules already: it streams as it is, add it without --streaming`
    )
  const moving = { ...architecture, motionModules: true }
  return { weights: new Map([...weights, ...startOfMotion(moving)]), architecture: moving }
}

/** Equal weights that give different depth must not have the same digest, by which loaded networks are told apart. */
function outputOf({ maxDepthMetres }: Architecture): Record<string, string> {
  return maxDepthMetres === undefined ? {} : { maxDepthMetres: String(maxDepthMetres) }
}

/** Tensors that the network reads; official checkpoints hold a few more. */
function usedWeights(weights: WeightsMap, architecture: Architecture, dtype: StoredDtype): WeightsMap {
  const expected = expectedWeights(architecture)
  const used = [...weights].filter(([name]) => expected.has(name))
  for (const [name, { data }] of used) {
    const unfit = data.find((value) => !(Math.abs(value) <= (dtype === 'float16' ? FLOAT16_MAX : Number.MAX_VALUE)))
    if (unfit === undefined) continue
    throw new LeadlineError(
      'MODEL_FILE_INVALID',
      Number.isFinite(unfit)
        ? `'${name}' holds ${unfit}, more than float16 can; store the model as float32`
        : `'${name}' holds ${unfit}; a network with such a weight gives no depth`
    )
  }
  return new Map(used)
}

/** Modes that the weights allow; whether they are good at one, only scores tell. */
function modesOf({ motionModules }: Architecture, numPositions: number): Mode[] {
  if (motionModules === false) return ['single']
  return numPositions < VDA_WINDOW ? ['ovda', 'single'] : ['ovda', 'vda-stream', 'vda-window', 'single']
}

/** The larger of the windows that the method's authors report (arXiv 2510.09182). */
const usualWindow = 16
const smallestWindow = 4

/** A model without motion modules has no positions; its windows are never used. */
function windowsUpTo(numPositions: number): number[] {
  const most = numPositions || usualWindow
  return Array.from({ length: most - smallestWindow + 1 }, (_, i) => smallestWindow + i)
}

function describe(
  options: Omit<AddModelOptions, 'title'> & { title: string | undefined },
  architecture: Architecture,
  numPositions: number
): Omit<Manifest, 'weights'> {
  const { name, license, title = name, attendSelf = false } = options
  const { cacheSizes = windowsUpTo(numPositions) } = options
  return {
    schema: 1,
    name,
    title,
    license,
    nonCommercial: options.nonCommercial ?? /-NC\b/i.test(license),
    quantity: options.quantity ?? 'relative-inverse-depth',
    architecture: { family: 'video-depth-anything', ...architecture },
    temporal: {
      modes: modesOf(architecture, numPositions),
      cacheSizes: [...cacheSizes],
      defaultCacheSize: cacheSizes.includes(usualWindow) ? usualWindow : cacheSizes.at(-1)!,
      attendSelf
    },
    // 280 x 924 pixels, the largest size that the method's authors report.
    resolution: { multiple: sizeMultiple(architecture), lowerBound: 280, maxArea: 258_720 }
  }
}
