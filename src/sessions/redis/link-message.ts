import { LeadlineError } from '../../errors.ts'
import { decodeMessage } from '../../frame.ts'
import type { SessionOptions } from '../../session.ts'
import type { Route, SessionCommand, WorkerEvent } from '../link.ts'

/**
 * How commands and events lie in a stream. An entry has a head of a few bytes and a body: the frame or depth map as it
 * is, untouched, or JSON for what is rare. Token and order are in the entry's id.
 */
export interface LinkMessage {
  head: Buffer
  body: Buffer
}

/** What lies in an inbox. */
export interface OpenMessage {
  sessionId: string
  token: number
  options: SessionOptions
}

/** What lies in a mailbox. */
export type MailboxCommand = Exclude<SessionCommand, { type: 'open' }>
type OpenCommand = Extract<SessionCommand, { type: 'open' }>

const commandTypes = ['frame', 'flush', 'reset', 'close'] as const
const resultType = 1
const otherType = 2
/** type (1 byte), commands taken from the mailbox so far (4 bytes), seq of a result (8 bytes) */
const eventHeadBytes = 13
const empty = Buffer.alloc(0)

export function encodeCommand(command: MailboxCommand): LinkMessage {
  return { head: Buffer.from([commandTypes.indexOf(command.type)]), body: commandBody(command) }
}

function commandBody(command: MailboxCommand): Buffer {
  if (command.type === 'frame') return asBuffer(command.frame.message)
  return command.type === 'flush' ? Buffer.from(command.id) : empty
}

export function decodeCommand({ head, body }: LinkMessage): MailboxCommand {
  const type = commandTypes[head.readUInt8(0)]
  switch (type) {
    case 'frame':
      return { type, frame: decodeMessage(body) }
    case 'flush':
      return { type, id: body.toString() }
    case 'reset':
    case 'close':
      return { type }
    default:
      throw new LeadlineError(
        'INTERNAL',
        `Command type ${head[0]} is not known; gateway and worker differ in version`
      )
  }
}

/** `open` lies in the inbox of a worker, so it says whose it is. */
export function encodeOpen(
  { sessionId, token }: Pick<Route, 'sessionId' | 'token'>,
  { options }: OpenCommand
): LinkMessage {
  return { head: empty, body: Buffer.from(JSON.stringify({ sessionId, token, options })) }
}

export function decodeOpen({ body }: LinkMessage): OpenMessage {
  return JSON.parse(body.toString()) as OpenMessage
}

/** `consumed` tells the gateway how many commands the worker has taken, so that it knows what the mailbox holds. */
export function encodeEvent(event: WorkerEvent, consumed: number): LinkMessage {
  const head = Buffer.allocUnsafe(eventHeadBytes)
  head[0] = event.type === 'result' ? resultType : otherType
  head.writeUInt32LE(consumed, 1)
  head.writeDoubleLE(event.type === 'result' ? event.seq : 0, 5)
  const body = event.type === 'result' ? asBuffer(event.message) : Buffer.from(JSON.stringify(event))
  return { head, body }
}

export function decodeEvent({ head, body }: LinkMessage): { event: WorkerEvent; consumed: number } {
  const consumed = head.readUInt32LE(1)
  if (head[0] === resultType)
    return { consumed, event: { type: 'result', seq: head.readDoubleLE(5), message: body } }
  if (head[0] === otherType) return { consumed, event: JSON.parse(body.toString()) as WorkerEvent }
  throw new LeadlineError(
    'INTERNAL',
    `Event type ${head[0]} is not known; gateway and worker differ in version`
  )
}

/** The position of an entry in its session: which owner wrote it, and the how-manieth it was. */
export interface EntryId {
  token: number
  number: number
}

export function formatEntryId({ token, number }: EntryId): string {
  return `${token}-${number}`
}

export function parseEntryId(text: string): EntryId {
  const dash = text.indexOf('-')
  return { token: Number(text.slice(0, dash)), number: Number(text.slice(dash + 1)) }
}

/** Redis refused an id that is not above the last: it has this entry already, or its owner has a larger token. */
export function isKnownEntry(error: unknown): boolean {
  return error instanceof Error && error.message.includes('equal or smaller')
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
