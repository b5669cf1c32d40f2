import { diskFailure } from '../../machine/disk-failure.ts'
import type { Log } from '../../sessions/index.ts'
import type { ClipStorage } from './clip-storage.ts'

export interface FailedClip {
  storage: Pick<ClipStorage, 'place' | 'setting'>
  log: Log
  clip: string
}

/** A failure of the disk by its name: without a path for clients, with it for the log. Any other is given back as it is. */
export function storageFailure(error: unknown, { storage, log, clip }: FailedClip): unknown {
  const failure = diskFailure(error, storage.place, storage.setting)
  if (failure !== null) log.error({ err: error, clip }, 'the folder for clips cannot be used')
  return failure ?? error
}
