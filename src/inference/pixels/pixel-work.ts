import type { ValidFrame } from '../../wire/frame.ts'
import type { OutputOptions } from '../../wire/output.ts'
import type { Asker } from '../fairness/fair-gate.ts'
import { encodeDepth } from './postprocess.ts'
import type { DepthLabels, DepthMap } from './postprocess.ts'
import type { Decoded, PrepareOptions } from './preprocess.ts'
import { receiveFrame } from './received-frame.ts'
import type { ReceivedFrame } from './received-frame.ts'

/** What is done to every pixel before and after the network, whoever does it. */
export interface PixelWork {
  /** As `receiveFrame`. */
  prepare(frame: ValidFrame, options: PrepareOptions): Promise<Decoded<ReceivedFrame>>
  /** As `encodeDepth`. The memory of map and guide is given away. */
  encode(map: DepthMap, labels: DepthLabels, output: OutputOptions): Promise<Uint8Array>
}

/** Of many sessions, which wait for each other by fair turns. */
export interface SharedPixelWork {
  /** As this session has it done. */
  of(asker: Asker): PixelWork
}

/** On the caller's own thread. */
export const ownPixels: PixelWork & SharedPixelWork = {
  prepare: receiveFrame,
  encode: encodeDepth,
  of: () => ownPixels
}
