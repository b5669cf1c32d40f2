import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LeadlineError, asLeadlineError } from '../../errors.ts'
import type { Failures } from '../failures.ts'
import { problemMediaType, problemOf, problemSchema } from '../problem.ts'

/** Every failure leaves as a problem document. */
export function handleErrors(app: FastifyInstance, failures: Failures): void {
  app.addSchema(problemSchema)
  app.setErrorHandler<FastifyError>(failureAnswer(failures))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]
    const detail = `There is no ${request.method} ${path}; openapi.yaml lists what there is`
    sendProblem(failures, new LeadlineError('ROUTE_UNKNOWN', detail), { request, reply })
  })
}

type Answer = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void

export function failureAnswer(failures: Failures): Answer {
  return (error, request, reply) => void sendProblem(failures, named(error), { request, reply })
}

/** `more`: members that the failures of this route have beside the usual ones. */
export function sendProblem(
  failures: Failures,
  failure: LeadlineError,
  { request, reply, more = {} }: { request: FastifyRequest; reply: FastifyReply; more?: object }
): FastifyReply {
  const problem = problemOf(failures.tell(failure, request.log), request.id)
  const { retryAfterMs, status } = problem
  if (retryAfterMs !== undefined && status !== 500)
    reply.header('retry-after', Math.ceil(retryAfterMs / 1000))
  // Of a client that is silent there is nothing to wait for; see discardUnreadBodies.
  if (status === 408) reply.header('connection', 'close')
  // Serialized by hand: a route need not have foreseen the status for it to look like every other failure.
  return reply
    .code(status)
    .type(problemMediaType)
    .serializer(String)
    .send(JSON.stringify({ ...problem, ...more }))
}

/** Fastify's own refusals get our names; their texts name the offending value already. */
function named(error: FastifyError): LeadlineError {
  if (error instanceof LeadlineError) return error
  const isTheClients = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
  if (isTheClients) return new LeadlineError('REQUEST_INVALID', error.message, { cause: error })
  return asLeadlineError(error)
}
