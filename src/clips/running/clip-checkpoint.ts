import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { unpackContext } from '../../wire/context-bytes.ts'
import type { SavedContext } from '../../wire/context-bytes.ts'
import type { ClipStorage } from '../storage/clip-storage.ts'
import { checkpointFile, checkpointSeq } from '../storage/clip-storage.ts'

/** Frames between two; whole segments of the spool, so that the maps before one are kept when it is. */
export const framesPerCheckpoint = 256
/** As a client may have one; what is larger has no latents, and nothing goes on from it bit for bit. */
export const maxCheckpointBytes = 64 * 2 ** 20

export interface ClipCheckpointOptions {
  clip: string
  storage: Pick<ClipStorage, 'folder' | 'keep' | 'discard'>
  /** Of the run, for files that are not whole. */
  run: string
}

/** What the session of a clip remembered after a frame of it: one is kept beside the depth, the last. */
export class ClipCheckpoint {
  readonly #options: ClipCheckpointOptions

  constructor(options: ClipCheckpointOptions) {
    this.#options = options
  }

  /** The last whose frame is among the first `count`; null: there is none that can be read. */
  async read(count: number): Promise<SavedContext | null> {
    const { clip, storage } = this.#options
    for (const name of (await this.#names()).reverse()) {
      if (checkpointSeq(name)! >= count) continue
      const saved = await readFile(path.join(storage.folder(clip), name))
        .then(unpackContext)
        .catch(nothing)
      if (saved?.seq === checkpointSeq(name)) return saved
    }
    return null
  }

  /** In place of those before it, once it is kept. */
  async write(seq: number, bytes: Uint8Array): Promise<void> {
    const { clip, storage, run } = this.#options
    const name = checkpointFile(seq)
    const filePath = path.join(storage.folder(clip), name)
    await writeFile(`${filePath}.${run}.part`, bytes, { flush: true })
    await rename(`${filePath}.${run}.part`, filePath)
    await storage.keep(clip, [name])
    const names = await this.#names()
    await storage.discard(
      clip,
      names.filter((other) => checkpointSeq(other)! < seq)
    )
  }

  /** None is left. */
  async drop(): Promise<void> {
    await this.#options.storage.discard(this.#options.clip, await this.#names())
  }

  async #names(): Promise<string[]> {
    const names = await readdir(this.#options.storage.folder(this.#options.clip))
    return names.filter((name) => checkpointSeq(name) !== null).sort()
  }
}

/** Whether a session that goes on from these bytes may give what the one that they are of would have given. */
export async function isWhole(bytes: Uint8Array): Promise<boolean> {
  const { origin, context } = await unpackContext(bytes)
  return origin.mode === 'single' || context.latents !== null || context.framesSeen === 0
}

function nothing(): null {
  return null
}
