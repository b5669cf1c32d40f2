import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { equal, holds, sameDepth } from '../check.ts'
import type { Depth, Message } from '../peer.ts'
import { inShort } from '../peer.ts'
import { height, inEveryCodec, picture, pixels, upright, width } from '../pictures.ts'
import type { Wanted } from '../wire.ts'
import { codecs, dtypes, encode, flags, headerBytes, kinds, quantities } from '../wire.ts'

const rgb = (more: Partial<Wanted> = {}): Uint8Array =>
  encode({ seq: 0, width, height, payload: pixels(0), ...more })

/** The header of a frame with one field spoiled. */
function spoiled(offset: number, ...bytes: number[]): Uint8Array {
  const message = rgb()
  message.set(bytes, offset)
  return message
}

async function depthOf(bench: Bench, message: Uint8Array, config: object = {}): Promise<Depth> {
  const peer = await bench.open({ delivery: 'lossless', ...config })
  peer.send(message)
  return peer.depth()
}

/** Bytes of a payload of plain values, and how an encoded one begins. */
const formats = {
  u16: { codec: codecs.raw, dtype: dtypes.u16, bytes: 2 },
  f16: { codec: codecs.raw, dtype: dtypes.f16, bytes: 2 },
  f32: { codec: codecs.raw, dtype: dtypes.f32, bytes: 4 },
  png16: { codec: codecs.png, dtype: dtypes.u16, begins: [0x89, 0x50, 0x4e, 0x47] },
  jpeg: { codec: codecs.jpeg, dtype: dtypes.u8, begins: [0xff, 0xd8, 0xff] },
  webp: { codec: codecs.webp, dtype: dtypes.u8, begins: [0x52, 0x49, 0x46, 0x46] }
}

/** What fails a frame alone: see M4. */
const refused: { says: string; code: string; message(maxPixels: number): Uint8Array }[] = [
  {
    says: 'no payload',
    code: 'FRAME_EMPTY',
    message: () => encode({ seq: 0, codec: codecs.jpeg, payload: new Uint8Array(0) })
  },
  {
    says: 'codec raw',
    code: 'FRAME_UNSUPPORTED',
    message: () => rgb({ codec: codecs.raw })
  },
  {
    says: 'an image that cannot be decoded',
    code: 'FRAME_DECODE_FAILED',
    message: () => encode({ seq: 0, codec: codecs.jpeg, payload: Uint8Array.of(0xff, 0xd8, 0xff, 0, 1, 2) })
  },
  {
    says: 'pixels of the wrong length',
    code: 'FRAME_DECODE_FAILED',
    message: () => rgb({ width: width - 1 })
  },
  {
    says: 'more pixels than maxPixels',
    code: 'FRAME_TOO_LARGE',
    message: (maxPixels) => {
      const side = Math.ceil(Math.sqrt(maxPixels + 1))
      return encode({ seq: 0, codec: codecs.jpeg, width: side, height: side, payload: Uint8Array.of(1) })
    }
  }
]

const malformed: [what: string, message: Uint8Array][] = [
  ['a message that is shorter than a header', rgb().subarray(0, headerBytes - 1)],
  ['a wrong magic', spoiled(0, 0x4d)],
  ['an unknown version', spoiled(2, 2)],
  ['a header length that is too small', spoiled(4, 56)],
  ['a header length that is no multiple of 8', spoiled(4, 65)],
  ['a header length beyond the message', encode({ seq: 0, payload: new Uint8Array(0) }).fill(255, 4, 6)],
  ['a seq above 2^53 - 1', spoiled(8, 0, 0, 0, 0, 0, 0, 0x20, 0)],
  ['a depth map', rgb({ kind: kinds.depth })],
  ['rgb24 without a size', rgb({ width: 0 })],
  [
    'nv12 of an odd size',
    encode({ seq: 0, codec: codecs.nv12, width: 3, height: 2, payload: new Uint8Array(9) })
  ]
]

/** Binary messages, and what becomes of frames. */
export const frames: Check[] = [
  {
    clause: 'B1',
    says: 'the payload is taken from headerLength on',
    async try(bench) {
      const plain = await depthOf(bench, rgb())
      const extended = await depthOf(bench, rgb({ extension: new Uint8Array(16).fill(0xee) }))
      sameDepth(extended, plain, 'the depth of a frame with an extension')
      holds(plain.headerLength % 8 === 0, `the header has ${plain.headerLength} bytes`)
    }
  },
  {
    clause: 'B2',
    says: 'the timestamp comes back untouched, and the rest of the header is filled in',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      peer.send(rgb({ seq: 7, timestampUs: 2 ** 53 - 1 }))
      const depth = await peer.depth()
      const { seq, timestampUs, kind, quantity } = depth
      const wanted = { seq: 7, timestampUs: 2 ** 53 - 1, kind: 2, quantity: quantities[peer.ready.quantity] }
      equal({ seq, timestampUs, kind, quantity }, wanted, 'the header')
      equal(depth.epoch, peer.ready.epoch, 'the epoch')
      holds(depth.width > 0 && depth.height > 0, `the size is ${depth.width}x${depth.height}`)
      holds(depth.rangeMin <= depth.rangeMax, `the range is from ${depth.rangeMin} to ${depth.rangeMax}`)
    }
  },
  ...inEveryCodec().map(({ codec, payload, isRaw }): Check => ({
    clause: 'B3',
    says: `a frame may be ${codec}`,
    async try(bench) {
      const size = isRaw ? { width, height } : {}
      const depth = await depthOf(bench, encode({ seq: 0, codec: codecs[codec], payload, ...size }))
      holds(depth.payload.byteLength > 0, 'the depth map is empty')
    }
  })),
  {
    clause: 'B4',
    says: 'the first depth map of an epoch has flag first, and no other',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      for (const seq of [0, 1]) peer.send(picture(seq))
      peer.send({ type: 'reset' })
      peer.send(picture(2))
      const found = await peer.outcomes(3)
      const isFirst = found.map((one) => ((one as Depth).flags & flags.first) !== 0)
      equal(isFirst, peer.ready.mode === 'single' ? [true, true, true] : [true, false, true], 'flag first')
    }
  },
  ...Object.entries(formats).map(([format, wanted]): Check => ({
    clause: 'B5',
    says: `output.format ${format} is what it says`,
    async try(bench) {
      const { codec, dtype, payload, ...depth } = await depthOf(bench, rgb(), { output: { format } })
      equal(codec, wanted.codec, 'the codec')
      equal(dtype, wanted.dtype, 'the dtype')
      if ('bytes' in wanted)
        equal(payload.byteLength, depth.width * depth.height * wanted.bytes, 'the bytes of the payload')
      else equal([...payload.subarray(0, wanted.begins.length)], wanted.begins, 'the first bytes')
      if (format === 'png16') equal([...payload.subarray(24, 26)], [16, 0], 'bit depth and colour type')
    }
  })),
  {
    clause: 'B5',
    says: 'values are the same in u16 and f32, within a step of the scale',
    async try(bench) {
      const exact = await depthOf(bench, rgb(), { output: { format: 'f32' } })
      const coded = await depthOf(bench, rgb(), { output: { format: 'u16' } })
      const reals = new Float32Array(Uint8Array.from(exact.payload).buffer)
      const stored = new Uint16Array(Uint8Array.from(coded.payload).buffer)
      const apart = reals.map((real, at) => Math.abs(real - (stored[at]! * coded.scale + coded.offset)))
      const most = apart.reduce((one, other) => Math.max(one, other), 0)
      const span = reals.reduce((one, other) => Math.max(one, other), 0) || 1
      // Rounding apart, a graph may be run on another day in another order.
      holds(most <= Math.abs(coded.scale) + span * 1e-3, `values are ${most} apart; a step is ${coded.scale}`)
    }
  },
  {
    clause: 'M1',
    says: 'output.size source gives depth maps as large as the frame',
    async try(bench) {
      const depth = await depthOf(bench, rgb(), { output: { size: 'source' } })
      equal([depth.width, depth.height], [width, height], 'the size')
    }
  },
  ...refused.map(({ says, code, message }): Check => ({
    clause: 'M4',
    says: `${says} fails the frame alone with ${code}`,
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      peer.send(message(peer.ready.limits.maxPixels))
      peer.send(picture(1))
      equal(inShort(await peer.outcomes(2)), [`error 0 ${code}`, 'depth 1'], 'the outcomes')
    }
  })),
  ...malformed.map(([what, message]): Check => ({
    clause: 'M5',
    says: `${what} ends the stream`,
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      peer.send(message, { isFrame: false })
      await peer.endsWith('FRAME_MALFORMED')
    }
  })),
  {
    clause: 'M6',
    says: 'flags of a frame are ignored',
    async try(bench) {
      const depth = await depthOf(bench, rgb({ flags: 0xffff }))
      equal(depth.flags & ~(flags.first | flags.droppedBefore | flags.blank), 0, 'other flags')
    }
  },
  {
    clause: 'M8',
    says: 'a frame of another shape begins an epoch by itself',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      for (const message of [picture(0), upright(1)]) peer.send(message)
      expectTurn(await peer.take(3), peer.ready.epoch)
    }
  },
  {
    clause: 'X4',
    says: 'the camera turns from landscape to portrait',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      peer.send(picture(0))
      await peer.depth()
      peer.send(upright(1))
      const [reset, depth] = [await peer.expect('reset'), await peer.depth()]
      equal([reset.seq, reset.reason], [1, 'resolution'], 'the reset')
      equal([depth.seq, depth.epoch], [1, reset.epoch], 'seq and epoch of the depth map')
      holds((depth.flags & flags.first) !== 0, 'the depth map has no flag first')
      holds(depth.height > depth.width, `the depth map is ${depth.width}x${depth.height}`)
    }
  },
  {
    clause: 'E2',
    says: 'codes that only ever fail a frame leave the stream open',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      for (const [seq, { message }] of refused.entries()) {
        const one = message(peer.ready.limits.maxPixels)
        new DataView(one.buffer).setBigUint64(8, BigInt(seq), true)
        peer.send(one)
        await peer.outcomes(1)
      }
      peer.send({ type: 'ping' })
      await peer.expect('pong')
    }
  }
]

function expectTurn(messages: Message[], epoch: number): void {
  equal(inShort(messages), ['depth 0', 'reset 1 resolution', 'depth 1'], 'what came')
  const epochs = messages.map((message) => message.epoch)
  equal(epochs, [epoch, epoch + 1, epoch + 1], 'the epochs')
}
