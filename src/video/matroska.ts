/**
 * Raw pictures with a time each, as a Matroska stream: what a pipe to ffmpeg needs where `rawvideo` knows a rate alone.
 * Source: RFC 8794 (EBML) and RFC 9559 (Matroska); element IDs are written with their length marker.
 */

export interface RawTrack {
  width: number
  height: number
  pixels: keyof typeof pixelFormats
  /** How long a picture usually lasts; the last one does. */
  frameDurationUs: number
}

/** Times are counted in microseconds. */
const nanosecondsPerTick = 1000
/** Of a segment that is written as it goes. */
const unknownSize = Uint8Array.of(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
/** As ffmpeg names them: their FourCC, and bytes a pixel. */
const pixelFormats = {
  rgb24: { fourCc: Uint8Array.of(0x52, 0x47, 0x42, 24), bytes: 3 },
  gray16le: { fourCc: Uint8Array.of(0x59, 0x31, 0, 16), bytes: 2 }
}

export function pictureBytes({ width, height, pixels }: RawTrack): number {
  return width * height * pixelFormats[pixels].bytes
}

/** Everything in front of the first picture. */
export function matroskaHead({ width, height, pixels, frameDurationUs }: RawTrack): Uint8Array {
  const picture = [uint(0xb0, width), uint(0xba, height), element(0x2eb524, pixelFormats[pixels].fourCc)]
  const track = [
    ...[uint(0xd7, 1), uint(0x73c5, 1), uint(0x83, 1), text(0x86, 'V_UNCOMPRESSED')],
    ...[uint(0x23e383, Math.round(frameDurationUs * 1000)), element(0xe0, ...picture)]
  ]
  return concat(
    element(0x1a45dfa3, text(0x4282, 'matroska'), uint(0x4287, 4), uint(0x4285, 2)),
    ...[idBytes(0x18538067), unknownSize],
    element(
      0x1549a966,
      ...[uint(0x2ad7b1, nanosecondsPerTick), text(0x4d80, 'leadline'), text(0x5741, 'leadline')]
    ),
    element(0x1654ae6b, element(0xae, ...track))
  )
}

/** What stands in front of one picture's `byteLength` bytes. */
export function pictureHead(timestampUs: number, byteLength: number): Uint8Array {
  const time = uint(0xe7, timestampUs)
  /** Track 1, no offset to the cluster's time, a key frame. */
  const block = Uint8Array.of(0x81, 0, 0, 0x80)
  const blockHead = concat(idBytes(0xa3), size(block.byteLength + byteLength), block)
  const clusterBytes = time.byteLength + blockHead.byteLength + byteLength
  return concat(idBytes(0x1f43b675), size(clusterBytes), time, blockHead)
}

function element(id: number, ...parts: Uint8Array[]): Uint8Array {
  const body = concat(...parts)
  return concat(idBytes(id), size(body.byteLength), body)
}

function uint(id: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return element(id, bytes)
}

function text(id: number, value: string): Uint8Array {
  return element(id, new TextEncoder().encode(value))
}

function idBytes(id: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, id)
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0))
}

/** A length in eight bytes, the longest form: none is too large for it. */
function size(byteLength: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(byteLength) | (1n << 56n))
  return bytes
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
