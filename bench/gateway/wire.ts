/** WebSocket messages as bytes, for both ends of the bench: RFC 6455, section 5.2. */
import { encodeMessage, headerBytes, kinds } from '../../src/wire/frame.ts'
import type { Header } from '../../src/wire/frame.ts'

const binary = 0x82
const text = 0x81
const ping = 0x89

/** What goes one way: bytes of a frame and of its depth map, each with its header. */
export interface Sizes {
  frame: number
  depth: number
}

/** A message of so many bytes; JPEG by its header, and sevens within. */
export function messageOf(kind: 'frame' | 'depth', bytes: number, seq = 0): Buffer {
  const header: Header = {
    ...{ kind: kinds[kind], flags: 0, seq, timestampUs: seq * 1000, epoch: 0, codec: 'jpeg', dtype: 'u8' },
    ...{ width: 640, height: 360, scale: 1, offset: 0, rangeMin: 0, rangeMax: 0 },
    ...{ quantity: 'none', queueUs: 0, computeUs: 0 }
  }
  return Buffer.from(encodeMessage(header, new Uint8Array(bytes - headerBytes).fill(7)))
}

const mask = Buffer.from([0x5a, 0x3c, 0xc3, 0xa5])
/** What answers a ping. */
export const pong = Buffer.concat([Buffer.from([0x8a, 0x80]), mask])

/** As a client sends it, masked: to take the mask off is a part of what a server does. */
export function clientFrame(payload: string | Uint8Array): Buffer {
  const bytes = masked(Buffer.from(payload))
  const length = bytes.byteLength
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const head = Buffer.alloc(2 + lengthBytes)
  head[0] = typeof payload === 'string' ? text : binary
  head[1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) head.writeUInt16BE(length, 2)
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, mask, bytes])
}

/** In place; bytes of a payload from a multiple of four on. */
export function masked(bytes: Buffer): Buffer {
  for (let i = 0; i < bytes.byteLength; i++) bytes[i] = bytes[i]! ^ mask[i % 4]!
  return bytes
}

interface MessageHandlers {
  onBinary: () => void
  onText: (text: string) => void
  onPing: () => void
}

/** What a server sends, without its payload but for that of text. Messages are whole, as `ws` sends them. */
export class ServerMessages {
  readonly #handlers: MessageHandlers
  /** A head that is not whole yet. */
  #head = Buffer.alloc(0)
  /** Of the message that comes: its first byte, what is missing of its payload, and what is there if that is kept. */
  #kind = 0
  #missing = 0
  #text: Buffer[] = []

  constructor(handlers: MessageHandlers) {
    this.#handlers = handlers
  }

  push(piece: Buffer): void {
    let rest = this.#head.byteLength > 0 ? Buffer.concat([this.#head, piece]) : piece
    this.#head = Buffer.alloc(0)
    while (rest.byteLength > 0) {
      if (this.#missing === 0) {
        const bytes = this.#begin(rest)
        if (bytes === 0) return void (this.#head = Buffer.from(rest))
        rest = rest.subarray(bytes)
      }
      const here = Math.min(this.#missing, rest.byteLength)
      if (this.#kind === text) this.#text.push(Buffer.from(rest.subarray(0, here)))
      this.#missing -= here
      rest = rest.subarray(here)
      if (this.#missing === 0) this.#end()
    }
  }

  /** Bytes of the head; 0: there are too few. */
  #begin(bytes: Buffer): number {
    const length = (bytes[1] ?? 0) & 0x7f
    const headBytes = length === 127 ? 10 : length === 126 ? 4 : 2
    if (bytes.byteLength < headBytes) return 0
    this.#missing =
      length === 127 ? Number(bytes.readBigUInt64BE(2)) : length === 126 ? bytes.readUInt16BE(2) : length
    this.#kind = bytes[0] ?? 0
    this.#text = []
    return headBytes
  }

  #end(): void {
    if (this.#kind === binary) this.#handlers.onBinary()
    else if (this.#kind === text) this.#handlers.onText(Buffer.concat(this.#text).toString())
    else if (this.#kind === ping) this.#handlers.onPing()
  }
}
