import type { Writable } from 'node:stream'
import { Command } from 'ioredis'
import type { LinkMessage } from './link-message.ts'

/** Below this, one copy is cheaper than one more piece. */
const smallBytes = 4096
const lineEnd = Buffer.from('\r\n')

export interface Append {
  key: string
  /** Options of XADD that come before the id. */
  flags: readonly string[]
  id: string
  message: LinkMessage
}

/**
 * XADD of a message, written to the socket in pieces. ioredis copies a command and its arguments into one new buffer;
 * at 64 KiB a frame these copies, and the garbage they leave, are what costs a gateway most.
 */
export class AppendCommand extends Command {
  readonly #start: Buffer
  readonly #body: Buffer

  constructor({ key, flags, id, message: { head, body } }: Append) {
    const before = [key, ...flags, id, 'h', head, 'b']
    super('xadd', [...before, body], { replyEncoding: 'utf8' })
    this.#start = Buffer.concat([
      Buffer.from(`*${before.length + 2}\r\n$4\r\nxadd\r\n`),
      ...before.flatMap((part) => [
        Buffer.from(`$${Buffer.byteLength(part)}\r\n`),
        Buffer.from(part),
        lineEnd
      ]),
      Buffer.from(`$${body.byteLength}\r\n`)
    ])
    this.#body = body
  }

  override toWritable(socket: Writable): string | Buffer {
    if (this.#body.byteLength < smallBytes) return super.toWritable(socket)
    // Corked until the end of this turn of the loop: the pieces of all its commands leave in one system call.
    socket.cork()
    socket.write(this.#start)
    socket.write(this.#body)
    process.nextTick(() => socket.uncork())
    return lineEnd
  }
}
