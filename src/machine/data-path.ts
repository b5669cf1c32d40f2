import path from 'node:path'
import type { Config } from '../config.ts'

/**
 * The folder where a server keeps what should last: the one that is set, else one per user and port, so that it finds its
 * things again. null: there is none, since the server takes any free port and is never the same again, or since this user
 * has no home folder.
 */
export function dataPath({
  dataDir,
  port,
  stateDir
}: Pick<Config, 'dataDir' | 'port' | 'stateDir'>): string | null {
  if (dataDir !== null) return dataDir
  if (port === 0 || stateDir === null) return null
  return path.join(stateDir, 'leadline', String(port))
}
