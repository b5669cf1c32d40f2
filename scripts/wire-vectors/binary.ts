import { deflateSync } from 'node:zlib'
import { encodeFloat16 } from '../../src/maps/float16.ts'
import type { Header } from '../../src/wire/frame.ts'
import { encodeMessage, flags, headerBytes, kinds } from '../../src/wire/frame.ts'
import type { ErrorCode } from '../../src/errors.ts'

/** A binary message that can be read, and what is in it. */
export interface GoodMessage {
  name: string
  message: Uint8Array
  header: Header
  payloadBytes: number
  /** Of a depth map with plain values: what they mean, in float32. */
  values: number[] | null
}

/** One that is refused: by `anyone` who reads it, or by the `server` alone, as a frame. */
export interface BadMessage {
  name: string
  message: Uint8Array
  code: ErrorCode
  by: 'anyone' | 'server'
}

/** The server's bound on a frame in these examples. */
export const maxPixels = 1000

const blank: Header = {
  ...{ kind: kinds.frame, flags: 0, seq: 0, timestampUs: 0, epoch: 0, codec: 'jpeg', dtype: 'u8' },
  ...{ width: 0, height: 0, scale: 1, offset: 0, rangeMin: 0, rangeMax: 0, quantity: 'none' },
  ...{ queueUs: 0, computeUs: 0 }
}
const depth: Header = {
  ...blank,
  ...{ kind: kinds.depth, seq: 41, timestampUs: 1_700_000_000_123_456, epoch: 3, codec: 'raw', width: 3 },
  ...{ height: 2, rangeMin: 0.25, rangeMax: 12.5, quantity: 'relative-inverse-depth' },
  ...{ queueUs: 1500, computeUs: 31_000 }
}
const stored = [0, 1, 2, 1000, 40_000, 65_535]
const reals = [0, -0.5, 1 / 3, 2.75, 1000, 65_504].map(Math.fround)
const scale = Math.fround(0.0001)
const offset = Math.fround(-0.3)

export function goodMessages(): GoodMessage[] {
  const payload = Uint8Array.of(255, 216, 255, 217)
  const pixels = Uint8Array.from({ length: 4 * 2 * 3 }, (_, at) => at * 10)
  const halves = encodeFloat16(Float32Array.from(reals))
  return [
    good('frame-jpeg', { ...blank, seq: 7, timestampUs: 1234 }, payload),
    good('frame-rgb24', { ...blank, codec: 'rgb24', width: 4, height: 2 }, pixels),
    good('frame-nv12', { ...blank, codec: 'nv12', width: 4, height: 2 }, pixels.subarray(0, 12)),
    good('frame-history', { ...blank, seq: 2 ** 53 - 1, flags: flags.history }, payload),
    good('frame-greatest', { ...blank, seq: 2 ** 53 - 1, timestampUs: 2 ** 53 - 1 }, payload),
    good('depth-u8', { ...depth, dtype: 'u8', scale, offset }, Uint8Array.of(0, 1, 2, 127, 254, 255)),
    good('depth-u16', { ...depth, dtype: 'u16', scale, offset }, bytesOf(Uint16Array.from(stored))),
    good('depth-u16-deflate', { ...depth, codec: 'deflate', dtype: 'u16', scale, offset }, deflated()),
    good('depth-f16', { ...depth, dtype: 'f16', flags: flags.first }, bytesOf(halves)),
    good('depth-f16-scaled', { ...depth, dtype: 'f16', scale, offset }, bytesOf(halves)),
    good('depth-f32', { ...depth, dtype: 'f32' }, bytesOf(Float32Array.from(reals))),
    good('depth-f32-metres', metres(), bytesOf(Float32Array.from(reals))),
    good('depth-png16', { ...depth, codec: 'png', dtype: 'u16', scale, offset }, payload),
    good('depth-flags', { ...depth, flags: 0xffff, dtype: 'u8' }, new Uint8Array(6)),
    good('depth-extended', { ...depth, dtype: 'u16' }, bytesOf(Uint16Array.from(stored)), 16),
    good('context-part', { ...blank, kind: kinds.context, seq: 2 ** 18, codec: 'raw' }, payload),
    good('kind-unknown', { ...blank, kind: 77 }, payload)
  ]
}

export function badMessages(): BadMessage[] {
  const frame = encodeMessage({ ...blank, codec: 'rgb24', width: 2, height: 2 }, new Uint8Array(12))
  const changed = (change: (view: DataView) => void) => {
    const message = frame.slice()
    change(new DataView(message.buffer))
    return message
  }
  const anyone = (name: string, message: Uint8Array): BadMessage => ({
    ...{ name, message, code: 'FRAME_MALFORMED', by: 'anyone' }
  })
  const server = (name: string, code: ErrorCode, header: Partial<Header>, bytes: number): BadMessage => ({
    ...{
      name,
      code,
      by: 'server' as const,
      message: encodeMessage({ ...blank, ...header }, new Uint8Array(bytes))
    }
  })
  return [
    anyone('bad-empty', new Uint8Array(0)),
    anyone('bad-short', frame.slice(0, headerBytes - 1)),
    anyone(
      'bad-magic',
      changed((view) => view.setUint16(0, 0x4c4d, true))
    ),
    anyone(
      'bad-version',
      changed((view) => view.setUint8(2, 2))
    ),
    anyone(
      'bad-header-length-low',
      changed((view) => view.setUint16(4, 56, true))
    ),
    anyone(
      'bad-header-length-odd',
      changed((view) => view.setUint16(4, 68, true))
    ),
    anyone(
      'bad-header-length-beyond',
      changed((view) => view.setUint16(4, 80, true))
    ),
    anyone(
      'bad-seq',
      changed((view) => view.setBigUint64(8, 2n ** 53n, true))
    ),
    anyone(
      'bad-timestamp',
      changed((view) => view.setBigUint64(16, 2n ** 64n - 1n, true))
    ),
    anyone(
      'bad-codec',
      changed((view) => view.setUint16(28, 99, true))
    ),
    anyone(
      'bad-dtype',
      changed((view) => view.setUint16(30, 4, true))
    ),
    anyone(
      'bad-quantity',
      changed((view) => view.setUint32(52, 3, true))
    ),
    server('refused-kind', 'FRAME_MALFORMED', { kind: kinds.depth }, 1),
    server('refused-empty', 'FRAME_EMPTY', {}, 0),
    server('refused-raw', 'FRAME_UNSUPPORTED', { codec: 'raw' }, 4),
    server('refused-too-large', 'FRAME_TOO_LARGE', { width: 100, height: 11 }, 4),
    server('refused-rgb24-length', 'FRAME_DECODE_FAILED', { codec: 'rgb24', width: 2, height: 2 }, 11),
    server('refused-rgb24-size', 'FRAME_MALFORMED', { codec: 'rgb24' }, 4),
    server('refused-nv12-odd', 'FRAME_MALFORMED', { codec: 'nv12', width: 3, height: 2 }, 9)
  ]
}

function good(name: string, header: Header, payload: Uint8Array, extensionBytes = 0): GoodMessage {
  const extended = new Uint8Array(extensionBytes + payload.byteLength)
  extended.fill(0xee, 0, extensionBytes)
  extended.set(payload, extensionBytes)
  const message = encodeMessage(header, extended)
  new DataView(message.buffer).setUint16(4, headerBytes + extensionBytes, true)
  const isPlain = header.kind === kinds.depth && ['raw', 'deflate'].includes(header.codec)
  const values = isPlain ? plainValues(header, payload) : null
  return { name, message, header, payloadBytes: payload.byteLength, values }
}

/**
 * `stored` as codec deflate has it. Its differences are 0, 1, 1, 1000, -26,537 and 25,534; the stream is not compressed, so that it is
 * the same of every zlib.
 */
function deflated(): Uint8Array {
  const planes = [...[0x00, 0x00, 0x00, 0x07, 0xcf, 0xc7], ...[0x00, 0x02, 0x02, 0xd0, 0x51, 0x7c]]
  return new Uint8Array(deflateSync(Uint8Array.from(planes), { level: 0 }))
}

/** By the definition, and not by the code that is held to it. */
function plainValues({ dtype, scale, offset }: Header, payload: Uint8Array): number[] {
  const numbers = { u8: [...payload], u16: stored, f32: reals, f16: halfReals }[dtype]
  return numbers.map((number) => Math.fround(number * scale + offset))
}

/** `reals` to 11 bits: only a third is not among them. */
const halfReals = reals.map((real) => (real === Math.fround(1 / 3) ? 1365 / 4096 : real))

function metres(): Header {
  return { ...depth, dtype: 'f32', quantity: 'metric-depth', flags: flags.blank | flags.droppedBefore }
}

/** Little-endian, as every machine is that runs this. */
function bytesOf(numbers: Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
}
