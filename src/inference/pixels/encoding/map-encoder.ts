import type { OutputOptions } from '../../../wire/output.ts'
import { FairGate } from '../../fairness/fair-gate.ts'
import type { Asker } from '../../fairness/fair-gate.ts'
import { ProcessLane } from '../processes/process-lane.ts'
import type { DepthLabels, DepthMap } from '../postprocess.ts'
import { EncoderChild } from './encoder-child.ts'

const limits = { workMs: 30_000, dataKib: 2 * 2 ** 20, niceness: 10 }

/**
 * Maps that take long, encoded in processes of their own, which get what time others leave: a map of 33 million pixels as a
 * PNG takes above a second, and no live frame waits for it, nor does the server keep the memory. Whoever made one closes it.
 */
export class MapEncoder {
  readonly #lane: ProcessLane<EncoderChild>

  constructor(gate = new FairGate(1)) {
    this.#lane = new ProcessLane({ min: 0, gate, start: () => new EncoderChild(limits) })
  }

  /** Those that live. For tests. */
  get pids(): number[] {
    return this.#lane.pids
  }

  /** As `encodeDepth`, and EXECUTOR_FAILED for a map that takes its encoder too long. */
  encode(map: DepthMap, labels: DepthLabels, output: OutputOptions, asker: Asker): Promise<Uint8Array> {
    return this.#lane.run(asker, (child) => child.encode(map, labels, output))
  }

  /** What is being encoded fails. Twice without harm. */
  close(): Promise<void> {
    return this.#lane.close()
  }
}
