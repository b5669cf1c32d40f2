import { LeadlineError } from '../../errors.ts'
import { decodeMessage } from '../../wire/frame.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import type { Aside, SessionCommand, WorkerEvent } from '../link.ts'
import { steadyBit } from './pace.ts'

/**
 * How commands and events lie in a stream. An entry has a head of a few bytes and a body: the frame or depth map as it
 * is, untouched, or JSON for what is rare. Token and order are in the entry's id.
 */
export interface LinkMessage {
  head: Buffer
  body: Buffer
}

/** What lies in a mailbox. */
export type MailboxCommand = Exclude<SessionCommand, { type: 'open' }>

/**
 * A head is the number of the type; behind it a frame may have an aside and its trace, as JSON, and what begins a gateway's
 * time its bell.
 */
const commandTypes = [
  ...(['frame', 'flush', 'reset', 'close', 'detach', 'aside'] as const),
  ...(['adopt', 'checkpoint', 'join', 'update'] as const)
] as const
const resultType = 1
const otherType = 2
const checkpointType = 3
/** type and steady bit (1 byte), events read so far (4 bytes); what rides with it follows */
const commandHeadBytes = 5
/** type and steady bit (1 byte), commands taken from the mailbox so far (4 bytes), seq (8 bytes); a checkpoint's id follows */
const eventHeadBytes = 13
const empty = Buffer.alloc(0)

export interface Sender {
  /** How many events of the session were read, so that the worker need not keep them. */
  heard: number
  /** Where the gateway is told of events. */
  bell: string
}

export function encodeCommand(command: MailboxCommand, { bell, heard }: Sender): LinkMessage {
  const head = Buffer.allocUnsafe(commandHeadBytes)
  head[0] = commandTypes.indexOf(command.type)
  head.writeUInt32LE(heard, 1)
  const rider = riderOf(command, bell)
  return { head: rider === empty ? head : Buffer.concat([head, rider]), body: commandBody(command) }
}

/** The first of a gateway that did not open the session itself. */
function isBeginning(
  command: MailboxCommand
): command is Extract<MailboxCommand, { type: 'adopt' | 'join' }> {
  return command.type === 'adopt' || command.type === 'join'
}

function riderOf(command: MailboxCommand, bell: string): Buffer {
  if (isBeginning(command)) return Buffer.from(bell)
  if (command.type !== 'frame') return empty
  const { traceparent } = command.frame
  return command.aside || traceparent ? json({ ...command.aside, traceparent }) : empty
}

function commandBody(command: MailboxCommand): Buffer {
  if (command.type === 'frame') return asBuffer(command.frame.message)
  if (command.type === 'aside') return json(command.aside)
  if (isBeginning(command) || command.type === 'checkpoint' || command.type === 'update') return json(command)
  return command.type === 'flush' ? Buffer.from(command.id) : empty
}

/** `bell`: of an adopt or a join. */
export function decodeCommand(message: LinkMessage): {
  command: MailboxCommand
  heard: number
  bell: string | null
} {
  const command = readCommand(message)
  const bell = isBeginning(command) ? message.head.toString('utf8', commandHeadBytes) : null
  return { command, bell, heard: message.head.readUInt32LE(1) }
}

function typeOf(head: Buffer): number {
  return head.readUInt8(0) & ~steadyBit
}

function readCommand({ head, body }: LinkMessage): MailboxCommand {
  const type = commandTypes[typeOf(head)]
  switch (type) {
    case 'frame':
      if (head.byteLength === commandHeadBytes) return { type, frame: decodeMessage(body) }
      return { type, ...ridden(decodeMessage(body), head.subarray(commandHeadBytes)) }
    case 'aside':
      return { type, aside: parse<Aside>(body) }
    case 'adopt':
    case 'checkpoint':
    case 'join':
    case 'update':
      return parse<MailboxCommand>(body)
    case 'flush':
      return { type, id: body.toString() }
    case 'reset':
    case 'detach':
    case 'close':
      return { type }
    default:
      throw new LeadlineError(
        'INTERNAL',
        `Command type ${head[0]} is not known; gateway and worker differ in version`
      )
  }
}

/** A frame with what rode with it: an aside, and the trace by which it is looked at. */
function ridden(frame: ValidFrame, rider: Buffer): { frame: ValidFrame; aside?: Aside } {
  const { traceparent, ...aside } = parse<Partial<Aside> & { traceparent?: string }>(rider)
  if (traceparent !== undefined) frame.traceparent = traceparent
  return 'acked' in aside ? { frame, aside: aside as Aside } : { frame }
}

/** `consumed` tells the gateway how many commands the worker has taken, so that it knows what the mailbox holds. */
export function encodeEvent(event: WorkerEvent, consumed: number): LinkMessage {
  const head = Buffer.allocUnsafe(eventHeadBytes)
  head[0] = eventTypeOf(event)
  head.writeUInt32LE(consumed, 1)
  head.writeDoubleLE(event.type === 'result' || event.type === 'checkpoint' ? event.seq : 0, 5)
  if (event.type === 'checkpoint')
    return { head: Buffer.concat([head, Buffer.from(event.id)]), body: asBuffer(event.saved) }
  return { head, body: event.type === 'result' ? asBuffer(event.message) : json(event) }
}

function eventTypeOf({ type }: WorkerEvent): number {
  if (type === 'result') return resultType
  return type === 'checkpoint' ? checkpointType : otherType
}

export function decodeEvent({ head, body }: LinkMessage): { event: WorkerEvent; consumed: number } {
  const consumed = head.readUInt32LE(1)
  const type = typeOf(head)
  if (type === resultType)
    return { consumed, event: { type: 'result', seq: head.readDoubleLE(5), message: body } }
  if (type === otherType) return { consumed, event: parse<WorkerEvent>(body) }
  if (type === checkpointType) {
    const id = head.toString('utf8', eventHeadBytes)
    return { consumed, event: { type: 'checkpoint', id, seq: head.readDoubleLE(5), saved: body } }
  }
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

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** What this program wrote itself. */
function parse<T>(bytes: Buffer): T {
  return JSON.parse(bytes.toString()) as T
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
