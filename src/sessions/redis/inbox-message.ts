import { decodeMessage } from '../../wire/frame.ts'
import type { SessionContext } from '../../session.ts'
import { pack, unpack } from './blobs.ts'
import type { OpenPast, Route, SessionCommand, WorkerNote } from '../link.ts'
import type { LinkMessage } from './link-message.ts'

/**
 * What lies in the inbox of a worker: sessions that it is to open, and what it is told itself. The head is the text, the body
 * the bytes.
 */
export type InboxMessage = OpenMessage | { note: WorkerNote }

/** It says whose it is. */
export interface OpenMessage {
  sessionId: string
  token: number
  command: OpenCommand
  /** Where the gateway is told of events. */
  bell: string
}

type OpenCommand = Extract<SessionCommand, { type: 'open' }>
type MoveIn = Extract<WorkerNote, { type: 'moveIn' }>

/** A frame is whole in its message. */
interface WiredPast extends Omit<OpenPast, 'context'> {
  context: Omit<SessionContext, 'frames'> & { frames: Uint8Array[] }
}
/** `open` as it is packed. */
interface WiredOpen extends Pick<OpenMessage, 'sessionId' | 'token' | 'bell'> {
  command: Omit<OpenCommand, 'past'> & { past?: WiredPast | undefined }
}
interface WiredMoveIn extends Omit<MoveIn, 'moving'> {
  moving: Omit<MoveIn['moving'], 'past'> & { past: WiredPast }
}
type WiredNote = Exclude<WorkerNote, MoveIn> | WiredMoveIn

export function encodeOpen(
  { sessionId, token }: Pick<Route, 'sessionId' | 'token'>,
  { bell, command }: Pick<OpenMessage, 'bell' | 'command'>
): LinkMessage {
  const { past, ...rest } = command
  return wired({
    ...{ sessionId, token, bell },
    command: { ...rest, past: past && wirePast(past) }
  } satisfies WiredOpen)
}

export function encodeNote(note: WorkerNote): LinkMessage {
  return wired({ note: wireNote(note) })
}

export function decodeInbox({ head, body }: LinkMessage): InboxMessage {
  const message = unpack<WiredOpen | { note: WiredNote }>({ text: head.toString(), blobs: body })
  if ('note' in message) return { note: readNote(message.note) }
  const { command, ...rest } = message
  const { past, ...options } = command
  return { ...rest, command: past ? { ...options, past: readPast(past) } : options }
}

function wired(value: object): LinkMessage {
  const { text, blobs } = pack(value)
  return { head: Buffer.from(text), body: blobs }
}

function wireNote(note: WorkerNote): WiredNote {
  if (note.type !== 'moveIn') return note
  return { ...note, moving: { ...note.moving, past: wirePast(note.moving.past) } }
}

function readNote(note: WiredNote): WorkerNote {
  if (note.type !== 'moveIn') return note
  return { ...note, moving: { ...note.moving, past: readPast(note.moving.past) } }
}

function wirePast({ context, ...rest }: OpenPast): WiredPast {
  return { ...rest, context: { ...context, frames: context.frames.map(({ message }) => message) } }
}

function readPast({ context, ...rest }: WiredPast): OpenPast {
  return { ...rest, context: { ...context, frames: context.frames.map(decodeMessage) } }
}
