import type { FastifyRequest } from 'fastify'
import { LeadlineError } from '../../errors.ts'
import { requestFault } from '../request-fault.ts'
import type { ClipRequest } from './clip.ts'
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
  return parseFields(request, fields)
}

/** `results` may be there several times. */
function addField(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== 'results') fields[name] = value
  else if (Array.isArray(fields[name])) fields[name].push(value)
  else fields[name] = [value]
}

/** By the rules of the query, which turn "8" into 8 as they go. */
function parseFields(request: FastifyRequest, fields: Record<string, unknown>): ClipRequest {
  const validate = request.getValidationFunction('querystring')
  if (validate?.(fields) !== true) throw requestFault(validate?.errors ?? [], 'form')
  return fields
}
