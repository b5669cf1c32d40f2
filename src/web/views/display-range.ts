import { depthEnds } from '../../client/index.ts'
import type { ShownDepth } from '../../client/index.ts'

type Ends = ReturnType<typeof depthEnds>

/** Which values get the ends of the colours: those that each depth map wants, or those of one of them. */
export class DisplayRange {
  #locked: Ends | null = null
  #last: Ends | null = null

  /** Hold what the last depth map had, or let go. */
  set isLocked(isLocked: boolean) {
    this.#locked = isLocked ? this.#last : null
  }

  endsOf(depth: ShownDepth): Ends {
    this.#last = depthEnds(depth)
    return this.#locked ?? this.#last
  }
}
