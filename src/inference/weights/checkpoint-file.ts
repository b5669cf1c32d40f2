import { open, type FileHandle } from 'node:fs/promises'
import { LeadlineError } from '../../errors.ts'
import { digestOf } from './digest.ts'
import { readSafetensors } from './safetensors-reader.ts'
import { readTorchCheckpoint } from './torch-checkpoint.ts'
import type { WeightsMap } from './weights-map.ts'

/** As much as Node reads into one buffer; the largest official checkpoint (ViT-L) has 1.5 GB. */
export const maxCheckpointBytes = 2 ** 31 - 1

export interface CheckpointFile {
  weights: WeightsMap
  /** Of the file. */
  sha256: string
}

export interface CheckpointOptions {
  /** Names the file in error messages. @default its path */
  source?: string
  /** Refuse any other file before it is looked into. */
  sha256?: string
}

/**
 * Reads weights from a PyTorch state dict (.pth) or .safetensors; which of them, the bytes tell. Nothing in a file is
 * ever executed. Throws MODEL_FILE_INVALID with what the file is instead.
 */
export async function readCheckpointFile(
  path: string,
  { source = path, sha256 }: CheckpointOptions = {}
): Promise<CheckpointFile> {
  const bytes = await readWhole(path)
  const found = digestOf(bytes)
  if (sha256 !== undefined && found !== sha256)
    throw invalid(
      `${source} has SHA-256 ${found}, expected was ${sha256}: it is another file, or was cut or changed on its way; nothing was added`
    )
  return { weights: readWeights(bytes, source), sha256: found }
}

/** Throws MODEL_FILE_INVALID for what is no checkpoint by its first bytes, before anything is asked about it. */
export async function checkCheckpointFile(path: string): Promise<void> {
  await withFile(path, async (file, size) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    kindOf(buffer.subarray(0, bytesRead), size, path)
  })
}

const headBytes = 512

function readWeights(bytes: Uint8Array, source: string): WeightsMap {
  const kind = kindOf(bytes.subarray(0, headBytes), bytes.length, source)
  return kind === 'torch' ? readTorchCheckpoint(bytes, source) : readSafetensors(bytes, source)
}

function kindOf(firstBytes: Uint8Array, size: number, source: string): 'torch' | 'safetensors' {
  const head = Buffer.from(firstBytes).toString('latin1')
  if (head.startsWith('PK')) return 'torch'
  if (head[8] === '{') return 'safetensors'
  throw invalid(`${source} (${size} bytes) ${whatElse(head)}`)
}

/** What users mistake for weights, by how it begins. */
function whatElse(head: string): string {
  if (head === '') return 'is empty; download it again'
  if (/^\s*<(!doctype|html|\?xml)/i.test(head))
    return 'is a web page; download the file itself, on Hugging Face by a link with /resolve/ instead of /blob/'
  if (head.startsWith('version https://git-lfs'))
    return 'is a Git LFS pointer; fetch the file itself with "git lfs pull"'
  if (/^\x80[\x02-\x05]/.test(head))
    return 'is a checkpoint from before PyTorch 1.6; load it there and save it again with torch.save'
  return 'is neither a PyTorch state dict (.pth) nor .safetensors; give the checkpoint as its authors publish it'
}

function readWhole(path: string): Promise<Buffer> {
  return withFile(path, (file) => file.readFile())
}

async function withFile<T>(path: string, work: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    const found = await file.stat()
    if (found.isDirectory()) throw invalid(`${path} is a folder; give the checkpoint file in it`)
    if (!found.isFile()) throw invalid(`${path} is not a regular file; give the path of a checkpoint`)
    if (found.size > maxCheckpointBytes)
      throw invalid(`${path} has ${found.size} bytes; at most ${maxCheckpointBytes} can be read`)
    return await work(file, found.size)
  } catch (cause) {
    if (cause instanceof LeadlineError) throw cause
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    throw invalid(isMissing ? `There is no file ${path}; check the path` : `${path} cannot be read`, cause)
  } finally {
    await file?.close()
  }
}

function invalid(detail: string, cause?: unknown): LeadlineError {
  return new LeadlineError('MODEL_FILE_INVALID', detail, { cause })
}
