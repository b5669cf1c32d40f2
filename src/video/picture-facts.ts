import type { Size } from '../maps/bilinear.ts'

/** What a file says of its pictures, in ffmpeg's words; null where it is silent. */
export interface PictureFacts {
  /** In the file, before pixels are squared and rotated. */
  coded: Size
  matrix: string | null
  transfer: string | null
  primaries: string | null
}
