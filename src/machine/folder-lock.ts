import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import koffi from 'koffi'
import { loadNative } from './native-library.ts'

/** Of <sys/file.h>. */
const lockShared = 1
const lockExclusive = 2
/** Without waiting. */
const lockNonBlocking = 4
/** UV_FS_O_EXLOCK of libuv: Windows, which has no flock, opens the file for one process alone. */
const openExclusively = 0x1000_0000

const lockFile = 'owner.lock'

/** For people: who holds a folder. */
interface FolderHolder {
  pid: number
  host: string
  since: string
}

/** Thrown when another process, or another owner in this one, holds the folder. */
export class FolderHeldError extends Error {
  override readonly name = 'FolderHeldError'
  /** null when it did not say. */
  readonly holder: FolderHolder | null

  constructor(holder: FolderHolder | null) {
    super('The folder is held')
    this.holder = holder
  }
}

/** For people: who holds it. */
export function toldHolder({ holder }: FolderHeldError): string {
  return holder === null ? 'another process' : `process ${holder.pid} on ${holder.host} since ${holder.since}`
}

/** For one owner alone, or for all who take it so. */
export type LockKind = 'own' | 'shared'

/**
 * Take a folder; the result gives it back, twice without harm. It is the kernel's lock (flock(2)), which ends
 * with the process however that dies, holds between containers that share the folder, and knows nothing of process ids.
 * Throws FolderHeldError, and the system's error where the folder cannot be written or its disk has no locks.
 */
export function lockFolder(folder: string, kind: LockKind = 'own'): () => void {
  const lockPath = path.join(folder, lockFile)
  const fd = openLock(lockPath, kind)
  try {
    flock(fd, lockPath, kind === 'own' ? lockExclusive : lockShared)
    const holder: FolderHolder = { pid: process.pid, host: os.hostname(), since: new Date().toISOString() }
    ftruncateSync(fd)
    writeSync(fd, JSON.stringify(holder), 0)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  let isHeld = true
  return () => {
    if (isHeld) closeSync(fd)
    isHeld = false
  }
}

/** A link in its place is not followed: it could name a file of someone else. */
function openLock(lockPath: string, kind: LockKind): number {
  const isWindows = process.platform === 'win32'
  const windowsFlags = kind === 'own' ? openExclusively : 0
  const flags = isWindows ? windowsFlags : constants.O_NOFOLLOW
  try {
    return openSync(lockPath, constants.O_RDWR | constants.O_CREAT | flags, 0o600)
  } catch (error) {
    if (isWindows && error instanceof Error && 'code' in error && error.code === 'EBUSY')
      throw new FolderHeldError(null)
    throw error
  }
}

function flock(fd: number, lockPath: string, kind: number): void {
  if (process.platform === 'win32') return
  const call = loadNative(null).func('int flock(int fd, int operation)')
  if (call(fd, kind | lockNonBlocking) === 0) return
  const errno = koffi.errno()
  if (errno === os.constants.errno.EWOULDBLOCK) throw new FolderHeldError(readHolder(lockPath))
  const [code = `errno ${errno}`] =
    Object.entries(os.constants.errno).find(([, value]) => value === errno) ?? []
  throw Object.assign(new Error(`${code}: ${lockPath} cannot be locked`), { code })
}

function readHolder(lockPath: string): FolderHolder | null {
  try {
    return JSON.parse(readFileSync(lockPath, 'utf8')) as FolderHolder
  } catch {
    return null
  }
}
