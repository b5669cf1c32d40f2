import type { LinkMessage } from './link-message.ts'
import { Pace, steadyBit } from './pace.ts'
import type { RedisConnections } from './redis-connections.ts'

/** Rings that a reader has not heard yet, about; those beyond are found when it looks at everything. */
const maxRings = 4096

/**
 * Tells the reader of a stream that something lies there, by an entry in the stream that it always reads. Of a steady stream
 * it does so once: the entries say themselves that more follow.
 */
export class Bell {
  readonly #redis: RedisConnections
  /** Null where the reader is not known: it finds out by itself, a little later. */
  readonly #bell: string | null
  readonly #stream: string
  readonly #pace = new Pace()

  constructor(redis: RedisConnections, options: { bell: string | null; stream: string }) {
    this.#redis = redis
    this.#bell = options.bell
    this.#stream = options.stream
  }

  /** What is appended now, marked; returns whether `ring` must follow the append. */
  mark({ head }: LinkMessage): boolean {
    const { isSteady, mustRing } = this.#pace.next(performance.now())
    if (isSteady) head[0]! |= steadyBit
    return mustRing
  }

  /** On the connection that the entry went over, so that it is there when this is heard. */
  ring(): void {
    if (this.#bell === null) return
    this.#redis.frames
      .xadd(this.#bell, 'NOMKSTREAM', 'MAXLEN', '~', maxRings, '*', 'h', '', 'b', this.#stream)
      .catch(() => {})
  }
}
