import type { FastifyRequest } from 'fastify'
import { LeadlineError } from '../errors.ts'
import type { BodyPieces } from './body-pieces.ts'
import { piecesOf } from './body-pieces.ts'
import { commaList } from './comma-list.ts'
import { inTime } from './in-time.ts'
import { wishesBeside } from './wishes.ts'

export interface FormRules {
  /** Name of its one file. */
  file: string
  /** Fields that may hold several values. */
  lists: readonly string[]
  /** How long nothing may come. */
  silenceMs: number
  /** What is done with the file, as it comes. */
  take(pieces: BodyPieces): Promise<void>
}

/**
 * Read a form: one file, and fields that mean what they mean in the query, in any order. The result is what query and form
 * ask for together. Throws REQUEST_INVALID, REQUEST_TIMEOUT and what `take` throws.
 */
export async function readForm<Query extends object>(
  request: FastifyRequest,
  { file, lists, silenceMs, take }: FormRules
): Promise<Query> {
  const fields = new Map<string, unknown>()
  let isTaken = false
  for await (const part of partsOf(request, silenceMs)) {
    if (part.type === 'field') {
      addField(fields, part, lists)
      continue
    }
    if (isTaken || part.fieldname !== file)
      throw refused(
        `"${part.fieldname}" is ${isTaken ? 'a second file' : 'not its file'}; one named "${file}" is needed`
      )
    await take(piecesOf(part.file, silenceMs))
    isTaken = true
  }
  if (!isTaken) throw refused(`it has no file; one named "${file}" is needed`)
  return wishesBeside<Query>(request, fields, 'form')
}

type Part = ReturnType<FastifyRequest['parts']> extends AsyncIterableIterator<infer P> ? P : never

/** Whatever cannot be parsed is the client's doing: a boundary, a header of a part, an end that is missing. */
async function* partsOf(request: FastifyRequest, silenceMs: number): AsyncGenerator<Part> {
  const parts = request.parts({ limits: { fileSize: Infinity } })
  for (;;) {
    const next = await inTime(parts.next().catch(unreadable), silenceMs)
    if (next.done === true) return
    yield next.value
  }
}

function unreadable(cause: unknown): never {
  throw refused(`it cannot be read (${cause instanceof Error ? cause.message : String(cause)})`, cause)
}

function addField(
  fields: Map<string, unknown>,
  { fieldname: name, value, valueTruncated }: Extract<Part, { type: 'field' }>,
  lists: readonly string[]
): void {
  if (valueTruncated) throw refused(`its field "${name}" is too long`)
  if (lists.includes(name)) fields.set(name, [fields.get(name) ?? [], commaList(value)].flat())
  else if (fields.has(name)) throw refused(`"${name}" is there twice`)
  else fields.set(name, value)
}

function refused(why: string, cause?: unknown): LeadlineError {
  return new LeadlineError('REQUEST_INVALID', `The form is not as it must be: ${why}`, { cause })
}
