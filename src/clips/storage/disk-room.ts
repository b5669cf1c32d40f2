import { readdir, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import { checkpointSeq } from './clip-storage.ts'

export type RoomLimits = Pick<Config, 'maxClipDiskBytes' | 'minFreeBytes'>

/** What a clip has of a disk, and what else there is. */
export interface Room {
  takenBytes: number
  /** More that is known to come. */
  comingBytes: number
  freeBytes: number
}

/** The room of the clip in a folder. */
export class DiskRoom {
  readonly #folder: string
  readonly #limits: RoomLimits

  constructor(folder: string, limits: RoomLimits) {
    this.#folder = folder
    this.#limits = limits
  }

  /** Throws CLIP_TOO_LARGE and STORAGE_FULL as soon as the clip would have more than it may, or leave less. */
  async check(comingBytes = 0): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder)
    const room = { takenBytes: await bytesIn(this.#folder), comingBytes, freeBytes: bavail * bsize }
    const failure = roomFailure(room, this.#limits)
    if (failure !== null) throw failure
  }
}

export function roomFailure(
  room: Room,
  { maxClipDiskBytes, minFreeBytes }: RoomLimits
): LeadlineError | null {
  const { takenBytes, comingBytes, freeBytes } = room
  if (takenBytes + comingBytes > maxClipDiskBytes)
    return new LeadlineError(
      'CLIP_TOO_LARGE',
      `With its depth and results the clip takes more than the ${mebibytes(maxClipDiskBytes)} MiB of disk that ` +
        'LEADLINE_MAX_CLIP_DISK_MIB allows; cut it, or ask for fewer results'
    )
  if (minFreeBytes === 0 || freeBytes - comingBytes >= minFreeBytes) return null
  return new LeadlineError(
    'STORAGE_FULL',
    `The server’s disk for clips has ${mebibytes(freeBytes)} MiB left` +
      (comingBytes > 0 ? `, and the clip needs ${mebibytes(comingBytes)}` : '') +
      `; LEADLINE_MIN_FREE_MIB leaves ${mebibytes(minFreeBytes)} free; delete clips, or set LEADLINE_DATA_DIR to a larger disk`
  )
}

/** Of depth and results: a checkpoint is not what the clip was sent for. Files come and go while they are looked at. */
async function bytesIn(folder: string): Promise<number> {
  const found = await readdir(folder, { recursive: true })
  const names = found.filter((name) => checkpointSeq(name) === null)
  const sizes = names.map((name) =>
    stat(path.join(folder, name)).then(
      ({ size }) => size,
      () => 0
    )
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
