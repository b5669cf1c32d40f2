/** As many as the servers may ask for, and more. */
const keptFrames = 256
const ackEvery = 8

/** How far a session got, as its client knows: what it sent, and what it has outcomes of. */
export class RawProgress {
  #nextSeq = 0
  /** Sent and without outcome. */
  readonly #open = new Set<number>()
  #epoch: number
  /** Frames of this epoch that had a depth map. */
  readonly #depths: number[] = []
  #position = { epoch: 0, seq: -1 }
  #acked = -1

  constructor(epoch: number) {
    this.#epoch = epoch
  }

  /** The last outcome, as a pair with the epoch it came in. */
  get position(): { epoch: number; seq: number } {
    return this.#position
  }

  get openCount(): number {
    return this.#open.size
  }

  /** The seq of one frame more. */
  next(): number {
    this.#open.add(this.#nextSeq)
    return this.#nextSeq++
  }

  begin(epoch: number): void {
    if (epoch === this.#epoch) return
    this.#epoch = epoch
    this.#depths.length = 0
  }

  seeDepth(epoch: number, seq: number): void {
    this.begin(epoch)
    this.#depths.push(seq)
    if (this.#depths.length > 2 * keptFrames) this.#depths.splice(0, keptFrames)
  }

  settle(seq: number): void {
    this.#open.delete(seq)
    this.#position = { epoch: this.#epoch, seq }
  }

  /** What the servers have not accepted. */
  openAfter(seq: number): number[] {
    return [...this.#open].filter((open) => open > seq)
  }

  lastDepths(count: number): number[] {
    return this.#depths.slice(-count)
  }

  /** Whether so much came that it is time to say so. */
  get owesAck(): boolean {
    return this.#position.seq - this.#acked >= ackEvery
  }

  /** What to acknowledge; null: nothing came since. */
  ack(): number | null {
    const { seq } = this.#position
    if (seq <= this.#acked) return null
    this.#acked = seq
    return seq
  }
}
