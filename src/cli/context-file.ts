import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { diskFailure } from '../machine/disk-failure.ts'
import { LeadlineError } from '../errors.ts'

/** What `--save-context` wrote. Throws CONTEXT_INVALID. */
export async function readContextFile(filePath: string): Promise<Uint8Array> {
  const wanted = 'name a file that "leadline stream --save-context" wrote'
  const bytes = await readFile(filePath).catch((error: unknown) => {
    throw new LeadlineError(
      'CONTEXT_INVALID',
      `"${filePath}" cannot be read (${(error as Error).message}); ${wanted}`
    )
  })
  if (bytes.byteLength > 0) return bytes
  throw new LeadlineError('CONTEXT_INVALID', `"${filePath}" is empty; ${wanted}`)
}

/** Whole or not at all, and for this user alone: it shows pictures of the video. Throws STORAGE_FULL, STORAGE_UNUSABLE. */
export async function writeContextFile(filePath: string, context: Uint8Array): Promise<void> {
  const unfinished = `${filePath}.${process.pid}.part`
  try {
    await writeFile(unfinished, context, { mode: 0o600 })
    await rename(unfinished, filePath)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw diskFailure(error, `"${filePath}"`, '--save-context') ?? error
  }
}
