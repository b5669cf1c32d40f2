import { encodeMessage, kinds } from '../../src/wire/frame.ts'
import type { Header } from '../../src/wire/frame.ts'
import { picture, pictureSize } from './picture.ts'

/** Of a frame that had its outcome already, and is sent again because the servers have lost the past. */
export const historyFlag = 8

/** For clients whose results must be large: the same picture again and again, of which nobody can tell the depth. */
const largeSize = { width: 640, height: 360 }
const largePicture = Uint8Array.from({ length: 640 * 360 * 3 }, (_, i) => (i % 1920 < 960 ? 30 : 200))

const plainHeader: Header = {
  ...{ kind: kinds.frame, flags: 0, seq: 0, timestampUs: 0, epoch: 0, codec: 'rgb24', dtype: 'u8' },
  ...{ width: 0, height: 0, scale: 1, offset: 0, rangeMin: 0, rangeMax: 0 },
  ...{ quantity: 'none', queueUs: 0, computeUs: 0 }
}

/** The message of the frame with this seq. */
export function frameOf({ key, large }: { key: string; large: boolean }, seq: number, flags = 0): Uint8Array {
  const size = large ? largeSize : pictureSize
  return encodeMessage({ ...plainHeader, ...size, seq, flags }, large ? largePicture : picture(key, seq))
}
