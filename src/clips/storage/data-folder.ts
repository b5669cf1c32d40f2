import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, link, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Config } from '../../config.ts'
import { dataPath } from '../../machine/data-path.ts'
import { diskFailure } from '../../machine/disk-failure.ts'
import { LeadlineError } from '../../errors.ts'
import { makeFolder } from '../../machine/make-folder.ts'
import { FolderHeldError, lockFolder, toldHolder } from '../../machine/folder-lock.ts'

export const dataDirSetting = 'LEADLINE_DATA_DIR'
const nameFile = 'storage.json'

export type DataFolderConfig = Pick<Config, 'dataDir' | 'stateDir' | 'port' | 'redisUrl' | 'keyPrefix'>

export interface DataFolder {
  /** Made up once, and kept in the folder. */
  id: string
  /** One folder in it per clip. */
  clipsPath: string
  /** One folder in it per upload that is to become a clip. */
  uploadsPath: string
  /** No other process uses it. */
  isOwn: boolean
  /** Let the next owner have it. Twice without harm. */
  close(): Promise<void>
}

/**
 * The folder where a gateway keeps its clips, made if need be and held until closed: by one server, or by all gateways of
 * one prefix in Redis. Without a setting it is one per user and port, or Redis and prefix, so that a server finds its clips
 * again; a server on any free port, which is never the same again, has a temporary one that goes with it. Throws
 * STORAGE_UNUSABLE, STORAGE_FULL, CONFIG_INVALID, which name the setting.
 */
export async function openDataFolder(config: DataFolderConfig): Promise<DataFolder> {
  if (config.dataDir === null && config.port === 0) return openTemporary(config)
  const folder = config.dataDir ?? defaultFolder(config)
  try {
    return await openFolder(folder, config)
  } catch (error) {
    if (error instanceof FolderHeldError) throw held(folder, error, config)
    if (error instanceof OtherPrefixError) throw taken(folder, error)
    throw diskFailure(error, `The data folder ${folder}`, dataDirSetting) ?? error
  }
}

async function openFolder(folder: string, { redisUrl, keyPrefix }: DataFolderConfig): Promise<DataFolder> {
  const [clipsPath, uploadsPath] = [path.join(folder, 'clips'), path.join(folder, 'uploads')]
  for (const made of [clipsPath, uploadsPath]) {
    // For its owner alone: a clip may show what is nobody else's business.
    await makeFolder(made, 0o700)
    await access(made, constants.R_OK | constants.W_OK | constants.X_OK)
  }
  const isOwn = redisUrl === null
  const unlock = lockFolder(folder, isOwn ? 'own' : 'shared')
  try {
    const id = await nameOf(folder, isOwn ? null : keyPrefix)
    return { id, clipsPath, uploadsPath, isOwn, close: async () => unlock() }
  } catch (error) {
    unlock()
    throw error
  }
}

interface FolderName {
  id: string
  /** null: no Redis was used with it yet. */
  keyPrefix: string | null
}

/** The name of a folder, and whose it is: gateways of two prefixes would each take the clips of the other for theirs. */
async function nameOf(folder: string, keyPrefix: string | null): Promise<string> {
  const namePath = path.join(folder, nameFile)
  const name = await readName(namePath)
  if (name === null) return newName(namePath, keyPrefix)
  if (keyPrefix === null || name.keyPrefix === keyPrefix) return name.id
  if (name.keyPrefix !== null) throw new OtherPrefixError(name.keyPrefix)
  await writeName(namePath, { ...name, keyPrefix }, rename)
  return name.id
}

async function readName(namePath: string): Promise<FolderName | null> {
  try {
    return JSON.parse(await readFile(namePath, 'utf8')) as FolderName
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** Of two who begin at once, one names it. */
async function newName(namePath: string, keyPrefix: string | null): Promise<string> {
  const name = { id: randomUUID(), keyPrefix }
  await writeName(namePath, name, async (partPath) => {
    await link(partPath, namePath).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await rm(partPath)
  })
  return (await readName(namePath))?.id ?? name.id
}

async function writeName(
  namePath: string,
  name: FolderName,
  put: (partPath: string, namePath: string) => Promise<void>
): Promise<void> {
  const partPath = `${namePath}.${randomUUID()}.part`
  await writeFile(partPath, JSON.stringify(name), { flush: true })
  await put(partPath, namePath)
}

class OtherPrefixError extends Error {
  override readonly name = 'OtherPrefixError'
  readonly keyPrefix: string

  constructor(keyPrefix: string) {
    super('The folder belongs to another prefix')
    this.keyPrefix = keyPrefix
  }
}

async function openTemporary(config: DataFolderConfig): Promise<DataFolder> {
  const parent = os.tmpdir()
  try {
    const folder = await mkdtemp(path.join(parent, 'leadline-'))
    const opened = await openFolder(folder, config)
    const close = () => opened.close().then(() => rm(folder, { recursive: true, force: true }))
    return { ...opened, close }
  } catch (error) {
    const settings = `TMPDIR (or, for a server, ${dataDirSetting})`
    throw diskFailure(error, `The temporary folder ${parent}`, settings) ?? error
  }
}

function defaultFolder(config: DataFolderConfig): string {
  const { stateDir, redisUrl, keyPrefix } = config
  const own = redisUrl === null ? dataPath(config) : null
  if (own !== null) return own
  // Whoever connects, and by which password: the clips are the same.
  const address = redisUrl?.replace(/\/\/[^@/]*@/, '//')
  const place = createHash('sha256').update(`${address} ${keyPrefix}`).digest('hex').slice(0, 12)
  if (stateDir !== null) return path.join(stateDir, 'leadline', `redis-${place}`)
  throw new LeadlineError(
    'CONFIG_INVALID',
    `This user has no home folder to keep clips in; set ${dataDirSetting} to a folder that can be written`
  )
}

function held(folder: string, error: FolderHeldError, { dataDir }: DataFolderConfig): LeadlineError {
  const own =
    dataDir === null
      ? `another LEADLINE_PORT, or a ${dataDirSetting} of its own`
      : `another ${dataDirSetting}`
  return new LeadlineError(
    'STORAGE_UNUSABLE',
    `The data folder ${folder} is in use by ${toldHolder(error)}; stop that server, or give this one ${own}`
  )
}

function taken(folder: string, { keyPrefix }: OtherPrefixError): LeadlineError {
  return new LeadlineError(
    'STORAGE_UNUSABLE',
    `The data folder ${folder} has the clips of LEADLINE_KEY_PREFIX "${keyPrefix}"; set another ${dataDirSetting}`
  )
}
