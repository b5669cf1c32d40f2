import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * Make a folder and those on the way to it; one that is there is left as it is. Node's own way, `recursive`, tries for ever
 * where a folder is there that takes no new ones and says ENOENT, as /proc does.
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(folder, { mode })
  } catch (error) {
    if (await isFolder(folder)) return
    const parent = path.dirname(folder)
    const lacksParent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!lacksParent) throw error
    if (!(await isFolder(parent))) {
      await makeFolder(parent, mode)
      return makeFolder(folder, mode)
    }
    // Somebody has made the parent meanwhile, or it is one that takes no folders.
    await mkdir(folder, { mode }).catch(async (again: unknown) => {
      if (!(await isFolder(folder))) throw again
    })
  }
}

async function isFolder(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => null)
  return found?.isDirectory() ?? false
}
