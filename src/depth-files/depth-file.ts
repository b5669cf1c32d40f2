import type { DisplayEnds } from '../maps/colormap.ts'
import type { Quantity } from '../wire/frame.ts'
import type { NpyArray } from '../maps/npy.ts'
import type { Size, VideoFrame } from '../video/index.ts'
import type { Camera } from './camera.ts'
import type { RenderedMap } from './render-map.ts'

/** What every file knows from the start. */
export interface DepthFileOptions {
  /** Where it appears once it is whole. */
  path: string
  /** Of the maps. */
  size: Size
  source: Size & { fps: number | null }
  /** What a value means. */
  quantity: Quantity
  /** Of points in space. */
  camera: Camera
}

/** A depth map, and what may be shown with it. */
export interface DepthFileMap extends RenderedMap {
  /** value = stored * scale + offset, for `stored`. */
  levels: AffineLevels
  /** As exact as it is known, for archives of numbers: value = exact * scale + offset. */
  exact: AffineLevels & { array: StoredArray }
  /** The values at the ends of a display. */
  ends: DisplayEnds
  /** Relative depth keeps its scale within one. From 1. */
  epoch: number
  /** Of its frame, on the source's clock. */
  timestampUs: number
  /** The source's own, present when the file asked for it. */
  frame: VideoFrame | null
}

export interface AffineLevels {
  scale: number
  offset: number
}

/** Height x width values, and how NumPy calls their type. */
export type StoredArray =
  | Pick<Extract<NpyArray, { type: '<u2' | '<f2' }>, 'type' | 'values'>
  | Pick<Extract<NpyArray, { type: '<f4' }>, 'type' | 'values'>

/** One file of depth that is being written. `close` finishes it; `abort` leaves nothing and, after `close`, does nothing. */
export interface DepthFile {
  /** Depth maps in order. */
  write(map: DepthFileMap): Promise<void>
  close(): Promise<void>
  abort(): Promise<void>
}
