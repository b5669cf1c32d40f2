import type { Camera } from './camera.ts'

/** One video with known depth, as a reader found it on disk. */
export interface RgbdSequence {
  /** Of its folder or scene. */
  name: string
  frames: readonly RgbdFrame[]
}

export interface RgbdFrame {
  name: string
  colorPath: string
  /** Throws DATA_INVALID. */
  readTruth(): Promise<DepthTruth>
  /** null where the data set gives no pose for this frame. */
  camera: Camera | null
}

export interface DepthTruth {
  width: number
  height: number
  /** Metres; 0 where depth is not known, out of the data set's range, or cropped away. */
  depthM: Float32Array
}
