/** The binary message as PROTOCOL.md has it, written once more from the page: a server is not held to its own code. */
export const headerBytes = 64
const magic = 0x4c4c

export const kinds = { frame: 1, depth: 2, context: 3 }
export const codecs = { raw: 0, jpeg: 1, webp: 2, png: 3, rgb24: 4, nv12: 5, avif: 6, tiff: 7, gif: 8 }
export const dtypes = { u8: 0, u16: 1, f16: 2, f32: 3 }
/** By the name that `ready` has for it. */
export const quantities: Record<string, number> = { 'relative-inverse-depth': 1, 'metric-depth': 2 }
export const flags = { first: 1, droppedBefore: 2, blank: 4, history: 8 }

/** What a test says of a message; the rest of its header is 0. */
export interface Wanted {
  kind?: number
  seq: number
  timestampUs?: number
  flags?: number
  codec?: number
  dtype?: number
  width?: number
  height?: number
  quantity?: number
  payload: Uint8Array
  /** Between the header and the payload; a multiple of 8 bytes. */
  extension?: Uint8Array
}

export interface Binary {
  kind: number
  headerLength: number
  flags: number
  seq: number
  timestampUs: number
  epoch: number
  codec: number
  dtype: number
  width: number
  height: number
  scale: number
  offset: number
  rangeMin: number
  rangeMax: number
  quantity: number
  payload: Uint8Array
}

export function encode(wanted: Wanted): Uint8Array {
  const { payload, extension = new Uint8Array(0) } = wanted
  const headerLength = headerBytes + extension.byteLength
  const message = new Uint8Array(headerLength + payload.byteLength)
  const view = new DataView(message.buffer)
  view.setUint16(0, magic, true)
  view.setUint8(2, 1)
  view.setUint8(3, wanted.kind ?? kinds.frame)
  view.setUint16(4, headerLength, true)
  view.setUint16(6, wanted.flags ?? 0, true)
  view.setBigUint64(8, BigInt(wanted.seq), true)
  view.setBigUint64(16, BigInt(wanted.timestampUs ?? 0), true)
  view.setUint16(28, wanted.codec ?? codecs.rgb24, true)
  view.setUint16(30, wanted.dtype ?? 0, true)
  view.setUint16(32, wanted.width ?? 0, true)
  view.setUint16(34, wanted.height ?? 0, true)
  view.setUint32(52, wanted.quantity ?? 0, true)
  message.set(extension, headerBytes)
  message.set(payload, headerLength)
  return message
}

/** Throws with what is wrong. */
export function decode(message: Uint8Array): Binary {
  if (message.byteLength < headerBytes) throw new Error(`a binary message of ${message.byteLength} bytes`)
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const headerLength = view.getUint16(4, true)
  if (view.getUint16(0, true) !== magic) throw new Error('a binary message that does not begin with "LL"')
  if (view.getUint8(2) !== 1) throw new Error(`a binary message of version ${view.getUint8(2)}`)
  if (headerLength < headerBytes || headerLength % 8 !== 0 || headerLength > message.byteLength)
    throw new Error(`a header length of ${headerLength}`)
  return {
    kind: view.getUint8(3),
    headerLength,
    flags: view.getUint16(6, true),
    seq: Number(view.getBigUint64(8, true)),
    timestampUs: Number(view.getBigUint64(16, true)),
    epoch: view.getUint32(24, true),
    codec: view.getUint16(28, true),
    dtype: view.getUint16(30, true),
    width: view.getUint16(32, true),
    height: view.getUint16(34, true),
    scale: view.getFloat32(36, true),
    offset: view.getFloat32(40, true),
    rangeMin: view.getFloat32(44, true),
    rangeMax: view.getFloat32(48, true),
    quantity: view.getUint32(52, true),
    payload: message.subarray(headerLength)
  }
}

/** The values of a depth map in u16, which is what streams are given unless they ask for another format. */
function values({ payload, scale, offset }: Binary): Float64Array {
  const stored = new Uint16Array(Uint8Array.from(payload).buffer)
  return Float64Array.from(stored, (one) => one * scale + offset)
}

/** How far two depth maps are apart at most, as a share of the extent of the first. On a CPU it is 0 where they are to be equal. */
export function apart(one: Binary, other: Binary): number {
  const [first, second] = [values(one), values(other)]
  if (first.length !== second.length) return Number.POSITIVE_INFINITY
  let [low, high, most] = [Infinity, -Infinity, 0]
  for (const [at, value] of first.entries()) {
    low = Math.min(low, value)
    high = Math.max(high, value)
    most = Math.max(most, Math.abs(value - second[at]!))
  }
  return most === 0 ? 0 : most / (high - low)
}
