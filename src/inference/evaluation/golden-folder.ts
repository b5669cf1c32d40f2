import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import Value from 'typebox/value'
import { LeadlineError } from '../../errors.ts'
import { architectureSchema, type Architecture } from '../../manifest.ts'
import { architectureFault } from '../weights/architecture-rules.ts'
import { readCheckpointFile } from '../weights/checkpoint-file.ts'
import { readNpy } from '../weights/npy.ts'
import type { WeightsMap } from '../weights/weights-map.ts'

/** What the network gave in a reference implementation: one file depth_<mode>_<H>x<W>.npy. */
export interface Golden {
  file: string
  mode: string
  height: number
  width: number
}

/** A folder with config.json, a checkpoint, frames_<H>x<W>.npy and goldens. */
export interface GoldenFolder {
  directory: string
  architecture: Architecture
  weights: WeightsMap
  goldens: Golden[]
}

/** Throws DATA_INVALID with what is missing, MODEL_FILE_INVALID for the checkpoint. */
export async function openGoldenFolder(directory: string): Promise<GoldenFolder> {
  const files = await readdir(directory).catch((cause: unknown) => {
    throw invalid(`${directory} cannot be read; give a folder of goldens`, cause)
  })
  const goldens = files
    .map((file) => ({ file, match: /^depth_(.+)_(\d+)x(\d+)\.npy$/.exec(file) }))
    .flatMap(({ file, match }) =>
      match === null ? [] : [{ file, mode: match[1]!, height: Number(match[2]), width: Number(match[3]) }]
    )
    .sort((a, b) => a.file.localeCompare(b.file))
  if (goldens.length === 0) throw invalid(`${directory} holds no depth_<mode>_<H>x<W>.npy`)
  const checkpoint = ['model.safetensors', 'checkpoint.pth'].find((name) => files.includes(name))
  if (checkpoint === undefined)
    throw invalid(`${directory} holds neither model.safetensors nor checkpoint.pth`)
  const { weights } = await readCheckpointFile(path.join(directory, checkpoint))
  return {
    directory,
    architecture: await readArchitecture(path.join(directory, 'config.json')),
    weights,
    goldens
  }
}

/** Frames uint8 [N, H, W, 3] of a size. */
export async function readFrames(
  { directory }: GoldenFolder,
  { height, width }: Golden
): Promise<Uint8Array[]> {
  const file = path.join(directory, `frames_${height}x${width}.npy`)
  const { shape, data } = await readArray(file)
  if (!(data instanceof Uint8Array) || shape.slice(1).join() !== [height, width, 3].join())
    throw invalid(`${file} has shape [${shape}]; expected uint8 [N, ${height}, ${width}, 3]`)
  return slices(data, shape[0]!)
}

/** Depth float32 [T, H, W] of a golden. */
export async function readDepths({ directory }: GoldenFolder, golden: Golden): Promise<Float32Array[]> {
  const file = path.join(directory, golden.file)
  const { shape, data } = await readArray(file)
  if (!(data instanceof Float32Array) || shape.slice(1).join() !== [golden.height, golden.width].join())
    throw invalid(`${file} has shape [${shape}]; expected float32 [T, ${golden.height}, ${golden.width}]`)
  return slices(data, shape[0]!)
}

function slices<T extends Uint8Array | Float32Array>(data: T, count: number): T[] {
  const size = data.length / count
  return Array.from({ length: count }, (_, index) => data.subarray(index * size, (index + 1) * size) as T)
}

async function readArray(file: string) {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw invalid(`${file} cannot be read`, cause)
  })
  return readNpy(bytes, file)
}

async function readArchitecture(file: string): Promise<Architecture> {
  const value: unknown = await readFile(file, 'utf8')
    .then((text) => JSON.parse(text) as unknown)
    .catch((cause: unknown) => {
      throw invalid(`${file} cannot be read as JSON`, cause)
    })
  if (Value.Check(architectureSchema, value)) {
    const fault = architectureFault(value)
    if (fault === null) return value
    throw invalid(`${file}: ${fault}`)
  }
  const [first] = Value.Errors(architectureSchema, value)
  throw invalid(`${file}: ${first?.instancePath.slice(1) || 'the document'} ${first?.message}`)
}

function invalid(detail: string, cause?: unknown): LeadlineError {
  return new LeadlineError('DATA_INVALID', detail, { cause })
}
