import { diskFailure } from '../machine/disk-failure.ts'
import { makeFolder } from '../machine/make-folder.ts'

/** Make the folder for what a command gives. Throws STORAGE_FULL, STORAGE_UNUSABLE, which name the option. */
export async function makeOutFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder)
  } catch (error) {
    throw diskFailure(error, `The folder ${folder}`, '--out-dir') ?? error
  }
}
