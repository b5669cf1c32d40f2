import type { Codec, ValidFrame } from './frame.ts'
import { decodeMessage, encodeMessage, kinds } from './frame.ts'

/** Frames that the house itself submits: for a client that sent an image or a clip, or to try a device. */

/** An encoded image. Its width and height are in it; the worker reads them there. */
export function frameOfImage(codec: Codec, bytes: Uint8Array): ValidFrame {
  return ownFrame({ ...plainHeader, codec }, bytes)
}

export interface Picture {
  /** Three bytes a pixel. */
  rgb: Uint8Array
  width: number
  height: number
  timestampUs: number
}

export function frameOfPixels(seq: number, { rgb, ...shape }: Picture): ValidFrame {
  return ownFrame({ ...plainHeader, seq, codec: 'rgb24', ...shape }, rgb)
}

function ownFrame(header: Parameters<typeof encodeMessage>[0], payload: Uint8Array): ValidFrame {
  return decodeMessage(encodeMessage(header, payload))
}

/** Of a frame that says nothing but its codec. */
export const plainHeader = {
  kind: kinds.frame,
  flags: 0,
  seq: 0,
  timestampUs: 0,
  epoch: 0,
  dtype: 'u8',
  width: 0,
  height: 0,
  scale: 1,
  offset: 0,
  rangeMin: 0,
  rangeMax: 0,
  quantity: 'none',
  queueUs: 0,
  computeUs: 0
} as const
