import type { FastifySchemaValidationError } from 'fastify'
import { LeadlineError } from '../errors.ts'

/** REQUEST_INVALID that names the parameter and the choices there were. `part` is where it stood: "query", "form", … */
export function requestFault(findings: readonly FastifySchemaValidationError[], part: string): LeadlineError {
  const [first] = findings
  return new LeadlineError(
    'REQUEST_INVALID',
    first === undefined ? `The ${part} is not valid` : describe(first, part)
  )
}

function describe({ instancePath, params, message }: FastifySchemaValidationError, part: string): string {
  if ('additionalProperty' in params)
    return `The ${part} has no parameter "${String(params.additionalProperty)}"`
  const where = `"${instancePath.slice(1)}" in the ${part}`
  if (Array.isArray(params.allowedValues)) return `${where} must be one of ${params.allowedValues.join(', ')}`
  return `${where} ${message ?? 'is not valid'}`
}

/** Fastify's names of the parts of a request, in words. */
export const requestParts: Readonly<Record<string, string>> = {
  querystring: 'query',
  params: 'path',
  headers: 'headers',
  body: 'body'
}
