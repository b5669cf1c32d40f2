import type { Quantity } from '../../frame.ts'
import type { Size, VideoFrame } from '../../video/index.ts'
import type { RenderedMap } from './render-map.ts'

/** What every writer of a clip knows from the start. */
export interface ResultOptions {
  /** Where the result appears once it is whole. */
  path: string
  /** Of the maps. */
  size: Size
  source: Size & { fps: number | null }
  /** Least and greatest depth of the whole clip. */
  range: { min: number; max: number }
  /** What a value means. */
  quantity: Quantity
}

/** A depth map and what may be shown with it. */
export interface ResultMap extends RenderedMap {
  /** Of its frame, on the file's clock. */
  timestampUs: number
  /** The source's own, present when the writer asked for it. */
  frame: VideoFrame | null
}

/** Makes one file of a clip's depth. `close` finishes it; `abort` leaves nothing and, after `close`, does nothing. */
export interface ResultWriter {
  /** Depth maps in order. */
  write(map: ResultMap): Promise<void>
  close(): Promise<void>
  abort(): Promise<void>
}
