import { constants } from 'node:fs'
import { access, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Config } from '../../config.ts'
import { diskFailure } from '../../disk-failure.ts'
import { LeadlineError } from '../../errors.ts'
import { makeFolder } from '../../make-folder.ts'
import { FolderHeldError, lockFolder } from './folder-lock.ts'

const setting = 'LEADLINE_DATA_DIR'

type DataFolderConfig = Pick<Config, 'dataDir' | 'stateDir' | 'port'>

export interface DataFolder {
  /** One folder in it per clip. */
  clipsPath: string
  /** Let the next owner have it. Twice without harm. */
  close(): Promise<void>
}

/**
 * The folder where a gateway keeps its clips, made if need be and held until closed; nobody else may hold it. Without a
 * setting it is one per user and port, so that a server finds its clips again; a server on any free port, which is never
 * the same again, has a temporary one that goes with it. Throws STORAGE_UNUSABLE, STORAGE_FULL, CONFIG_INVALID, which name
 * the setting.
 */
export async function openDataFolder(config: DataFolderConfig): Promise<DataFolder> {
  if (config.dataDir === null && config.port === 0) return openTemporary()
  const folder = config.dataDir ?? defaultFolder(config)
  try {
    return await openFolder(folder)
  } catch (error) {
    if (error instanceof FolderHeldError) throw held(folder, error, config)
    throw diskFailure(error, `The data folder ${folder}`, setting) ?? error
  }
}

async function openFolder(folder: string): Promise<DataFolder> {
  const clipsPath = path.join(folder, 'clips')
  // For its owner alone: a clip may show what is nobody else's business.
  await makeFolder(clipsPath, 0o700)
  await access(clipsPath, constants.R_OK | constants.W_OK | constants.X_OK)
  const unlock = lockFolder(folder)
  return { clipsPath, close: async () => unlock() }
}

async function openTemporary(): Promise<DataFolder> {
  const parent = os.tmpdir()
  try {
    const folder = await mkdtemp(path.join(parent, 'leadline-'))
    const { clipsPath, close } = await openFolder(folder)
    return { clipsPath, close: () => close().then(() => rm(folder, { recursive: true, force: true })) }
  } catch (error) {
    const settings = `TMPDIR (or, for a server, ${setting})`
    throw diskFailure(error, `The temporary folder ${parent}`, settings) ?? error
  }
}

function defaultFolder({ stateDir, port }: DataFolderConfig): string {
  if (stateDir !== null) return path.join(stateDir, 'leadline', String(port))
  throw new LeadlineError(
    'CONFIG_INVALID',
    `This user has no home folder to keep clips in; set ${setting} to a folder that can be written`
  )
}

function held(folder: string, { holder }: FolderHeldError, { dataDir }: DataFolderConfig): LeadlineError {
  const who =
    holder === null ? 'another process' : `process ${holder.pid} on ${holder.host} since ${holder.since}`
  const own = dataDir === null ? `another LEADLINE_PORT, or a ${setting} of its own` : `another ${setting}`
  return new LeadlineError(
    'STORAGE_UNUSABLE',
    `The data folder ${folder} is in use by ${who}; stop that server, or give this one ${own}`
  )
}
