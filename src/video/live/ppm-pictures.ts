import type { RgbPicture } from '../reader.ts'

/** No header is longer, with sides of at most five digits. */
const maxHeaderBytes = 32

/**
 * The pictures of a stream of binary PPM (P6, 8 bits a channel; netpbm.sourceforge.net/doc/ppm.html): each says its own size,
 * so that it need not be known before. Takes what ffmpeg writes, which has no comments.
 * Throws RangeError where no picture begins.
 */
export async function* ppmPictures(
  pieces: AsyncIterable<Uint8Array>
): AsyncGenerator<RgbPicture, void, undefined> {
  let head = new Uint8Array(0)
  let picture: (RgbPicture & { filled: number }) | null = null
  for await (const piece of pieces) {
    let rest: Uint8Array = piece
    while (rest.byteLength > 0) {
      if (picture === null) {
        const joined: Uint8Array = Buffer.concat([head, rest])
        const header = readHeader(joined)
        if (header === null) {
          head = Uint8Array.from(joined)
          break
        }
        const { width, height, byteLength } = header
        picture = { width, height, rgb: new Uint8Array(width * height * 3), filled: 0 }
        rest = joined.subarray(byteLength)
        head = new Uint8Array(0)
      }
      const part = rest.subarray(0, picture.rgb.byteLength - picture.filled)
      picture.rgb.set(part, picture.filled)
      picture.filled += part.byteLength
      rest = rest.subarray(part.byteLength)
      if (picture.filled < picture.rgb.byteLength) continue
      const { rgb, width, height } = picture
      picture = null
      yield { rgb, width, height }
    }
  }
}

/** Null: it is not all there yet. */
function readHeader(bytes: Uint8Array): { width: number; height: number; byteLength: number } | null {
  const text = Buffer.from(bytes.subarray(0, maxHeaderBytes)).toString('latin1')
  const [whole, width, height] = /^P6\s(\d{1,5})\s(\d{1,5})\s255\s/.exec(text) ?? []
  if (whole !== undefined) return { width: Number(width), height: Number(height), byteLength: whole.length }
  if (text.length >= maxHeaderBytes) throw new RangeError(`no picture begins with ${JSON.stringify(text)}`)
  return null
}
