import { decodeMessage, encodeMessage, headerBytes, kinds } from '../../src/wire/frame.ts'
import type { Header, ValidFrame } from '../../src/wire/frame.ts'
import type { Log } from '../../src/sessions/index.ts'

/** What a frame and a depth map weigh here, header included. */
export const messageBytes = Number(process.env['BENCH_MESSAGE_BYTES'] ?? 65_536)
export const result = message(0, kinds.depth)

const template = message(0, kinds.frame)
/** Where the header holds seq; see PROTOCOL.md. */
const seqOffset = 8

/** A frame of `messageBytes`. Its seq is the only thing that differs. */
export function frame(seq: number): ValidFrame {
  const copy = Buffer.from(template)
  copy.writeBigUInt64LE(BigInt(seq), seqOffset)
  return decodeMessage(copy)
}

function message(seq: number, kind: number): Buffer {
  const header: Header = {
    ...{ kind, flags: 0, seq, timestampUs: 0, epoch: 0, codec: 'jpeg', dtype: 'u8' },
    ...{ width: 640, height: 360, scale: 1, offset: 0, rangeMin: 0, rangeMax: 0 },
    ...{ quantity: 'none', queueUs: 0, computeUs: 0 }
  }
  return Buffer.from(encodeMessage(header, new Uint8Array(messageBytes - headerBytes).fill(7)))
}

const nothing = (): void => {}
export const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
