import { LeadlineError } from '../errors.ts'

/** Where space is what lacks, by the name that the operating system gives the failure. */
const fullReasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  EFBIG: 'a file may not grow any larger there'
}

const unusableReasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the disk is read-only',
  ENOENT: 'it is not there',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'a file has its name',
  EISDIR: 'a folder has the name of a file',
  ELOOP: 'its links lead nowhere',
  ENAMETOOLONG: 'its path is too long',
  EMFILE: 'this process has too many files open (ulimit -n)',
  ENFILE: 'this machine has too many files open',
  EIO: 'the disk fails',
  ESTALE: 'the network folder is gone',
  ENOLCK: 'its disk cannot lock files',
  ENOSYS: 'its disk cannot lock files',
  EOPNOTSUPP: 'its disk cannot lock files'
}

/**
 * What the operating system said of a file, as STORAGE_FULL or STORAGE_UNUSABLE; null when it is no failure of a disk.
 * `place` begins the sentence and names the folder, to clients without its path; `setting` is what the operator may change.
 */
export function diskFailure(error: unknown, place: string, setting: string): LeadlineError | null {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const full = fullReasons[code]
  const reason = full ?? unusableReasons[code]
  if (reason === undefined) return null
  const remedy = full === undefined ? `mend that, or set ${setting}` : `free some space, or set ${setting}`
  return new LeadlineError(
    full === undefined ? 'STORAGE_UNUSABLE' : 'STORAGE_FULL',
    `${place} cannot be written: ${reason} (${code}); ${remedy} to another folder`,
    { cause: error }
  )
}
