import { randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { diskFailure } from '../../machine/disk-failure.ts'
import { LeadlineError } from '../../errors.ts'
import { FolderHeldError, lockFolder, toldHolder } from '../../machine/folder-lock.ts'
import type { LibraryModel } from './library.ts'

/**
 * Removes a model that was added to `modelsDir`, whole or not at all. Throws REQUEST_INVALID for one that lies elsewhere, as the
 * bundled one does, and for one that a process of this machine, or of another with the same disk, serves; STORAGE_UNUSABLE
 * where the folder cannot be written.
 */
export async function removeModel({ manifest, directory }: LibraryModel, modelsDir: string): Promise<void> {
  const { name } = manifest
  if (path.dirname(path.resolve(directory)) !== path.resolve(modelsDir))
    throw new LeadlineError(
      'REQUEST_INVALID',
      `${name} was not added here: it is in ${directory}, and models are removed from ${modelsDir} alone`
    )
  const gone = path.join(modelsDir, `.removing-${randomUUID()}`)
  try {
    const unlock = lockFolder(directory)
    try {
      await rename(directory, gone)
    } finally {
      unlock()
    }
    await rm(gone, { recursive: true })
  } catch (cause) {
    if (cause instanceof FolderHeldError)
      throw new LeadlineError(
        'REQUEST_INVALID',
        `${name} is served by ${toldHolder(cause)}; stop that server first`
      )
    throw diskFailure(cause, `The models folder ${modelsDir}`, 'LEADLINE_MODELS_DIR') ?? cause
  }
}
