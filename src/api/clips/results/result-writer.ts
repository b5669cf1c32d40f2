import type { ColorTable } from '../../../colormap.ts'
import type { Quantity } from '../../../frame.ts'
import type { Size, VideoFrame } from '../../../video/index.ts'

/** What every writer of a clip knows from the start. */
export interface ResultOptions {
  /** Where the result appears once it is whole. */
  path: string
  /** Of the depth maps. */
  size: Size
  source: Size & { fps: number }
  /** Least and greatest depth of the whole clip: one scale for all frames, so that nothing flickers. */
  range: { min: number; max: number }
  /** What a value means. */
  quantity: Quantity
  table: ColorTable
}

/** Makes one file of a clip's depth. `close` finishes it; `abort` leaves nothing and, after `close`, does nothing. */
export interface ResultWriter {
  /** Depth maps in order; `frame` is the source's own, present when the writer asked for it. */
  write(depth: Float32Array, frame: VideoFrame | null): Promise<void>
  close(): Promise<void>
  abort(): Promise<void>
}
