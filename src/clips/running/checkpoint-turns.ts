import type { DepthSpool } from '../spool/depth-spool.ts'
import type { ClipCheckpoint } from './clip-checkpoint.ts'
import { framesPerCheckpoint, isWhole } from './clip-checkpoint.ts'
import type { FeedCheckpoints } from './frame-feed.ts'

/**
 * When a clip has a checkpoint: after whole segments of its spool, in a scene that is long already, and while they are of
 * use. It is written behind the depth that precedes it, or a run that goes on from it would leave a gap.
 */
export class CheckpointTurns implements FeedCheckpoints {
  readonly #checkpoint: ClipCheckpoint
  readonly #spool: Pick<DepthSpool, 'count' | 'lastStart'>
  #saved: { seq: number; bytes: Uint8Array } | null = null
  #isOfUse = true

  constructor(checkpoint: ClipCheckpoint, spool: Pick<DepthSpool, 'count' | 'lastStart'>) {
    this.#checkpoint = checkpoint
    this.#spool = spool
  }

  isDue = (seq: number): boolean =>
    this.#isOfUse &&
    (seq + 1) % framesPerCheckpoint === 0 &&
    seq >= this.#spool.count &&
    seq - this.#spool.lastStart >= framesPerCheckpoint / 2

  onSaved = (seq: number, bytes: Uint8Array): void => void (this.#saved = { seq, bytes })

  /** To be called when a map more is in the spool. A checkpoint that cannot be written is none, and the clip goes on. */
  async written(): Promise<void> {
    const saved = this.#saved
    if (saved === null || this.#spool.count <= saved.seq) return
    this.#saved = null
    this.#isOfUse = await isWhole(saved.bytes).catch(() => false)
    if (this.#isOfUse) await this.#checkpoint.write(saved.seq, saved.bytes).catch(() => undefined)
  }
}
