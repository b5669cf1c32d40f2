import type { FastifyRequest } from 'fastify'
import Value from 'typebox/value'
import { LeadlineError } from '../../errors.ts'
import type { ClipRequest } from './clip.ts'
import { clipRequestSchema } from './clip.ts'
import { saveUpload } from './upload.ts'

/**
 * Read a form with the file "video" and the fields of a clip request, in any order; the file goes to `filePath` as it
 * comes. Throws REQUEST_INVALID, CLIP_TOO_LARGE, CLIP_INVALID.
 */
export async function saveClipForm(
  request: FastifyRequest,
  filePath: string,
  maxBytes: number
): Promise<ClipRequest> {
  const fields: Record<string, unknown> = {}
  let isSaved = false
  for await (const part of request.parts({ limits: { fileSize: maxBytes + 1 } })) {
    if (part.type === 'field') {
      addField(fields, part.fieldname, part.value)
      continue
    }
    if (part.fieldname !== 'video') {
      part.file.resume()
      throw new LeadlineError(
        'REQUEST_INVALID',
        `The file of the form is named "${part.fieldname}"; "video" is needed`
      )
    }
    await saveUpload(part.file, filePath, maxBytes)
    isSaved = true
  }
  if (!isSaved) throw new LeadlineError('REQUEST_INVALID', 'The form has no file; "video" is needed')
  return parseFields(fields)
}

/** `results` may be there several times. */
function addField(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== 'results') fields[name] = value
  else if (Array.isArray(fields[name])) fields[name].push(value)
  else fields[name] = [value]
}

function parseFields(fields: Record<string, unknown>): ClipRequest {
  const request = Value.Convert(clipRequestSchema, fields)
  if (Value.Check(clipRequestSchema, request)) return request
  const first = [...Value.Errors(clipRequestSchema, request)][0]
  throw new LeadlineError(
    'REQUEST_INVALID',
    `Field ${first?.instancePath ?? ''}: ${first?.message ?? 'is not valid'}`
  )
}
