import type { Logger } from 'pino'
import path from 'node:path'
import { FolderHeldError, lockFolder } from '../../machine/folder-lock.ts'

/** What is served, and where it lies. */
interface Held {
  manifest: { name: string }
  weightsPath: string
}

/**
 * Say of the models in `folder` that this process serves them, so that they are not removed meanwhile: their weights are read
 * again whenever the executor is started again. The result lets them go, twice without harm. A folder that cannot be written
 * to is not one that others remove from either; what goes wrong is told to the log alone.
 */
export function holdModels(models: Iterable<Held>, folder: string | null, log: Logger): () => void {
  if (folder === null) return () => {}
  const letGo = [...models].flatMap(({ manifest, weightsPath }) => {
    const directory = path.dirname(weightsPath)
    if (path.dirname(directory) !== path.resolve(folder)) return []
    try {
      return [lockFolder(directory, 'shared')]
    } catch (error) {
      const reason = error instanceof FolderHeldError ? 'it is just being removed' : String(error)
      log.debug({ model: manifest.name, reason }, 'not marked as served')
      return []
    }
  })
  return () => {
    for (const one of letGo) one()
  }
}
