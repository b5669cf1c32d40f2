import { LeadlineError } from '../errors.ts'

/**
 * The binary message: a fixed little-endian header of 64 bytes, TLV extensions up to `headerLength`, then the payload.
 * PROTOCOL.md holds the table. The header is a multiple of 8 bytes so that a typed array can view the payload in place.
 */
export const headerBytes = 64
export const frameVersion = 1
const magic = 0x4c4c // "LL"

/** What the message carries. */
export const kinds = { frame: 1, depth: 2, context: 3 } as const
/** How the payload is packed; `raw`: plain values of the header's dtype; `deflate`: those of u16 compressed, see u16-planes.ts. */
export const codecs = {
  raw: 0,
  jpeg: 1,
  webp: 2,
  png: 3,
  rgb24: 4,
  nv12: 5,
  avif: 6,
  tiff: 7,
  gif: 8,
  deflate: 9
} as const
/** The type of one value. */
export const dtypes = { u8: 0, u16: 1, f16: 2, f32: 3 } as const
/** What a value means. Relative inverse depth: larger is nearer, free of scale and shift, 0 is "as far as can be". */
export const quantities = { none: 0, 'relative-inverse-depth': 1, 'metric-depth': 2 } as const
/** Flags of one message, or-ed together. */
export const flags = {
  /** The latent cache was empty; of blank frames, only the one that an epoch begins with. */
  first: 1,
  /** At least one frame was dropped since the previous depth map. */
  droppedBefore: 2,
  /** The frame shows nothing: its depth means little, and no later depth map depends on it. */
  blank: 4,
  /** Of a frame that had its outcome already: the servers lost what its session has seen, and asked for it again. */
  history: 8
} as const

export type Codec = keyof typeof codecs
export type Dtype = keyof typeof dtypes
export type Quantity = keyof typeof quantities

export interface Header {
  kind: number
  flags: number
  /** Number of the frame in its session, chosen by the client, rising. A safe integer. */
  seq: number
  /** The client's clock in microseconds, echoed untouched. */
  timestampUs: number
  /** Which life of the temporal state this belongs to; rises with every reset. */
  epoch: number
  codec: Codec
  dtype: Dtype
  width: number
  height: number
  /** value = stored * scale + offset */
  scale: number
  offset: number
  /** The range of values that a display should map to its ends. */
  rangeMin: number
  rangeMax: number
  quantity: Quantity
  /** Microseconds from the worker's receipt to the start of the step, and of the step itself. */
  queueUs: number
  computeUs: number
}

/** A frame that was checked at the door: header known good, payload present. Nothing inside checks it again. */
export interface ValidFrame {
  header: Header
  payload: Uint8Array
  /** The whole message as it came, for passing on unchanged. */
  message: Uint8Array
  /** Of the trace that it is looked at by, if it is: W3C's Trace Context. */
  traceparent?: string
}

export interface FrameLimits {
  /** Largest width times height. */
  maxPixels: number
}

const codecNames = namesOf(codecs)
const dtypeNames = namesOf(dtypes)
const quantityNames = namesOf(quantities)

function namesOf<T extends Record<string, number>>(table: T): (keyof T | undefined)[] {
  const names: (keyof T | undefined)[] = []
  for (const [name, number] of Object.entries(table)) names[number] = name
  return names
}

/** Write header and payload into one message. */
export function encodeMessage(header: Header, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(headerBytes + payload.byteLength)
  writeHeader(message, header)
  message.set(payload, headerBytes)
  return message
}

/** The first `headerBytes` of a message whose payload is, or will be, in its place. */
export function writeHeader(message: Uint8Array, header: Header): void {
  const view = new DataView(message.buffer, message.byteOffset, headerBytes)
  view.setUint16(0, magic, true)
  view.setUint8(2, frameVersion)
  view.setUint8(3, header.kind)
  view.setUint16(4, headerBytes, true)
  view.setUint16(6, header.flags, true)
  view.setBigUint64(8, BigInt(header.seq), true)
  view.setBigUint64(16, BigInt(Math.max(0, Math.round(header.timestampUs))), true)
  view.setUint32(24, header.epoch, true)
  view.setUint16(28, codecs[header.codec], true)
  view.setUint16(30, dtypes[header.dtype], true)
  view.setUint16(32, header.width, true)
  view.setUint16(34, header.height, true)
  view.setFloat32(36, header.scale, true)
  view.setFloat32(40, header.offset, true)
  view.setFloat32(44, header.rangeMin, true)
  view.setFloat32(48, header.rangeMax, true)
  view.setUint32(52, quantities[header.quantity], true)
  view.setUint32(56, header.queueUs, true)
  view.setUint32(60, header.computeUs, true)
}

/** Whether a message has one of `flags`. */
export function hasFlag(message: Uint8Array, flag: number): boolean {
  return (new DataView(message.buffer, message.byteOffset, headerBytes).getUint16(6, true) & flag) !== 0
}

/** Set one of `flags` in a message that is written already. */
export function setFlag(message: Uint8Array, flag: number): void {
  const view = new DataView(message.buffer, message.byteOffset, headerBytes)
  view.setUint16(6, view.getUint16(6, true) | flag, true)
}

/** Read a message of either kind. Throws FRAME_MALFORMED with the value that is wrong. */
export function decodeMessage(message: Uint8Array): ValidFrame {
  if (message.byteLength < headerBytes) {
    malformed(`${message.byteLength} bytes are fewer than the ${headerBytes} of the header`)
  }
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const found = view.getUint16(0, true)
  if (found !== magic) malformed(`it starts with 0x${found.toString(16)} instead of "LL" (0x4c4c)`)
  const version = view.getUint8(2)
  if (version !== frameVersion) malformed(`version ${version} is not ${frameVersion}`)
  const length = view.getUint16(4, true)
  if (length < headerBytes || length % 8 !== 0 || length > message.byteLength) {
    malformed(
      `header length ${length} is not a multiple of 8 from ${headerBytes} up to the message's ${message.byteLength} bytes`
    )
  }
  const header: Header = {
    kind: view.getUint8(3),
    flags: view.getUint16(6, true),
    seq: safeInteger(view, 8, 'seq'),
    timestampUs: safeInteger(view, 16, 'timestamp'),
    epoch: view.getUint32(24, true),
    codec: named(codecNames, view.getUint16(28, true), 'codec'),
    dtype: named(dtypeNames, view.getUint16(30, true), 'dtype'),
    width: view.getUint16(32, true),
    height: view.getUint16(34, true),
    scale: view.getFloat32(36, true),
    offset: view.getFloat32(40, true),
    rangeMin: view.getFloat32(44, true),
    rangeMax: view.getFloat32(48, true),
    quantity: named(quantityNames, view.getUint32(52, true), 'quantity'),
    queueUs: view.getUint32(56, true),
    computeUs: view.getUint32(60, true)
  }
  return { header, payload: message.subarray(length), message }
}

/** Read what a client sent as a frame. Throws FRAME_MALFORMED, which ends the session; `checkFrame` looks at the rest. */
export function decodeFrame(message: Uint8Array): ValidFrame {
  const frame = decodeMessage(message)
  if (frame.header.kind !== kinds.frame)
    malformed(`kind ${frame.header.kind} is not ${kinds.frame} (a frame)`)
  return frame
}

/**
 * Throws a code that fails this one frame when its payload cannot be right (empty, wrong length for its size, too many
 * pixels), and FRAME_MALFORMED for a size that its codec cannot have.
 */
export function checkFrame(frame: ValidFrame, limits: FrameLimits): void {
  const { codec, width, height, seq } = frame.header
  if (codec === 'raw') unsupported('raw')
  if (frame.payload.byteLength === 0) {
    throw new LeadlineError(
      'FRAME_EMPTY',
      `Frame ${seq} has a header and no payload; send the image after the header`
    )
  }
  if (width * height > limits.maxPixels) {
    throw new LeadlineError(
      'FRAME_TOO_LARGE',
      `Frame ${seq} is ${width}x${height}; at most ${limits.maxPixels} pixels are allowed`
    )
  }
  if (codec !== 'rgb24' && codec !== 'nv12') return
  if (width < 1 || height < 1 || (codec === 'nv12' && (width % 2 !== 0 || height % 2 !== 0))) {
    malformed(`${codec} cannot be ${width}x${height}`)
  }
  const expected = codec === 'rgb24' ? width * height * 3 : (width * height * 3) / 2
  if (frame.payload.byteLength !== expected) {
    throw new LeadlineError(
      'FRAME_DECODE_FAILED',
      `Frame ${seq}: ${codec} of ${width}x${height} needs ${expected} bytes, got ${frame.payload.byteLength}`
    )
  }
}

function unsupported(codec: string): never {
  throw new LeadlineError(
    'FRAME_UNSUPPORTED',
    `A frame cannot be "${codec}"; send jpeg, webp, png, avif, tiff, gif, rgb24 or nv12`
  )
}

function malformed(reason: string): never {
  throw new LeadlineError('FRAME_MALFORMED', `Not a Leadline frame: ${reason}`)
}

function safeInteger(view: DataView, at: number, name: string): number {
  const value = view.getBigUint64(at, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) malformed(`${name} ${value} is above 2^53 - 1`)
  return Number(value)
}

function named<T>(names: (T | undefined)[], number: number, field: string): T {
  const name = names[number]
  if (name === undefined) malformed(`${field} ${number} is not known`)
  return name
}
