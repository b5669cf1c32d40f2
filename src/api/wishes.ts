import type { FastifyRequest } from 'fastify'
import { LeadlineError } from '../errors.ts'
import { requestFault } from './request-fault.ts'

/**
 * What a form or a document asks for by the rules of the query, which turn "8" into 8 as they go, beside the query itself.
 * `part` names it to people. Throws REQUEST_INVALID.
 */
export function wishesBeside<Query extends object>(
  request: FastifyRequest,
  fields: ReadonlyMap<string, unknown>,
  part: 'form' | 'body' | 'Upload-Metadata'
): Query {
  const asked = new URLSearchParams(request.url.split('?')[1])
  const twice = [...fields.keys()].find((name) => asked.has(name))
  if (twice !== undefined)
    throw new LeadlineError('REQUEST_INVALID', `"${twice}" is in the query and in the ${part}; send it once`)
  const wishes = Object.fromEntries(fields)
  const validate = request.getValidationFunction('querystring')
  if (validate?.(wishes) !== true) throw requestFault(validate?.errors ?? [], part)
  // Without the defaults that the rules added: they are in the query.
  const given = Object.entries(wishes).filter(([name]) => fields.has(name))
  return { ...(request.query as Query), ...Object.fromEntries(given) }
}
