import type { StepResult } from '../../executor.ts'
import type { SharedMemory } from './shared-memory.ts'
import { Spans } from './spans.ts'
import type { Span } from './spans.ts'

/**
 * How frames and depth cross between the supervisor and the executor process: through memory that both see, one copy in
 * and one out, or inside the messages where there is none or it is full. Decision 3.
 */

/** What of a row crosses. */
export interface TransportedRow {
  /** RGB, uint8: where it lies, or itself. */
  frame: Uint8Array | Span | null
  /** Where the process is to put its depth; null: into the answer. */
  depthAt: Span | null
}

/** A map that the process put where it was told to is null. */
export type TransportedResult = { depth: Float32Array | null } | null

/** Of both processes. Address space, not memory: the largest batches of the largest frames fit. */
export const transportBytes = 2 ** 30

/** The supervisor's side. */
export class SupervisorSide {
  readonly #memory: SharedMemory | null
  readonly #spans: Spans

  constructor(memory: SharedMemory | null) {
    this.#memory = memory
    this.#spans = new Spans(memory?.bytes.byteLength ?? 0)
  }

  /** Send frames, one a row, whose depth has `pixels` values; `call` puts them to the process. */
  async transport(
    frames: readonly (Uint8Array | null)[],
    pixels: number,
    call: (transported: TransportedRow[]) => Promise<TransportedResult[]>
  ): Promise<(StepResult | null)[]> {
    const lent: Span[] = []
    const lend = (length: number): Span | null => {
      const span = this.#memory && this.#spans.take(length)
      if (span) lent.push(span)
      return span
    }
    try {
      const transported = frames.map((frame) => ({
        frame: frame && this.#lay(frame, lend(frame.byteLength)),
        depthAt: lend(pixels * Float32Array.BYTES_PER_ELEMENT)
      }))
      const results = await call(transported)
      return results.map((result, row) => result && { depth: result.depth ?? this.#read(transported[row]!) })
    } finally {
      for (const span of lent) this.#spans.give(span)
    }
  }

  #lay(frame: Uint8Array, span: Span | null): Uint8Array | Span {
    if (!span || !this.#memory) return frame
    this.#memory.bytes.set(frame, span.offset)
    return span
  }

  #read({ depthAt }: TransportedRow): Float32Array {
    return floatsAt(this.#memory!, depthAt!).slice()
  }
}

/** The side of the executor process. */
export class ExecutorSide {
  readonly #memory: SharedMemory | null

  constructor(memory: SharedMemory | null) {
    this.#memory = memory
  }

  frame({ frame }: TransportedRow): Uint8Array | null {
    if (!frame || frame instanceof Uint8Array) return frame
    return this.#memory!.bytes.subarray(frame.offset, frame.offset + frame.length)
  }

  /** Where the depth of a row is wanted, if anywhere. */
  depthTarget({ depthAt }: TransportedRow): Float32Array | undefined {
    return depthAt ? floatsAt(this.#memory!, depthAt) : undefined
  }

  /** Depth to where it is wanted, if it is not there already. */
  put({ depth }: StepResult, transported: TransportedRow): TransportedResult {
    const target = this.depthTarget(transported)
    if (target?.byteLength !== depth.byteLength) return { depth }
    if (depth.buffer !== target.buffer || depth.byteOffset !== target.byteOffset) target.set(depth)
    return { depth: null }
  }
}

function floatsAt({ bytes }: SharedMemory, { offset, length }: Span): Float32Array {
  return new Float32Array(bytes.buffer, offset, length / Float32Array.BYTES_PER_ELEMENT)
}
