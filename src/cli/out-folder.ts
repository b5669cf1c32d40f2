import { mkdir } from 'node:fs/promises'
import { diskFailure } from '../disk-failure.ts'

/** Make the folder for what a command gives. Throws STORAGE_FULL, STORAGE_UNUSABLE, which name the option. */
export async function makeOutFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw diskFailure(error, `The folder ${folder}`, '--out-dir') ?? error
  }
}
