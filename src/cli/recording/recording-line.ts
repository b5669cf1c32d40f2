import type { Static } from 'typebox'
import Type from 'typebox'
import Value from 'typebox/value'

/**
 * A recording is a text file of one JSON object to the line: a head, what went over the sockets in the order of its time, and an
 * end, which one that was cut off lacks.
 */
export const recordingVersion = 1

const ms = Type.Number({ minimum: 0, description: 'Since the recording began' })
const socket = Type.Integer({ minimum: 1, description: 'Which connection, from 1' })
const from = Type.Enum(['client', 'server'])

const headSchema = Type.Object({
  leadlineRecording: Type.Literal(recordingVersion),
  program: Type.String({ description: 'Version of the program that recorded' }),
  at: Type.String({ description: 'When it began' })
})
const textSchema = Type.Object({ ms, socket, from, text: Type.String() })
const binarySchema = Type.Object({ ms, socket, from, base64: Type.String() })
const closedSchema = Type.Object({
  ...{ ms, socket, closedBy: from },
  code: Type.Integer({ description: '1006: without a word' }),
  reason: Type.String()
})
const endSchema = Type.Object({ end: Type.Literal(true), ms })
const lineSchema = Type.Union([headSchema, textSchema, binarySchema, closedSchema, endSchema])

export type RecordingHead = Static<typeof headSchema>
/** One message, or the end of a connection. */
export type RecordingEntry =
  Static<typeof textSchema> | Static<typeof binarySchema> | Static<typeof closedSchema>
export type RecordingLine = Static<typeof lineSchema>

export function writeLine(line: RecordingLine): string {
  return `${JSON.stringify('text' in line ? { ...line, text: redacted(line.text) } : line)}\n`
}

/** Null: it is none, or not all of it. */
export function readLine(text: string): RecordingLine | null {
  try {
    const line: unknown = JSON.parse(text)
    return Value.Check(lineSchema, line) ? line : null
  } catch {
    return null
  }
}

/** In the text, so that all else stays as it was, and in what is no JSON as well. */
const secret =
  /("[^"]*(?:token|ticket|secret|password|authorization|api_?key)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*("?)/gi

/** A key, wherever it stands. */
const key = /\blk_[\w.~+/-]+/g

function redacted(text: string): string {
  return text.replace(secret, '$1"redacted$2').replace(key, 'redacted')
}
