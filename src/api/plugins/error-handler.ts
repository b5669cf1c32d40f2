import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LeadlineError, asLeadlineError } from '../../errors.ts'
import { problemMediaType, problemOf, problemSchema } from '../problem.ts'

/** When a temporary failure does not say how long it lasts. */
const defaultRetryAfterMs = 1000

/** Every failure leaves as a problem document. */
export function handleErrors(app: FastifyInstance): void {
  app.addSchema(problemSchema)
  app.setErrorHandler<FastifyError>(answerFailure)
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]
    const detail = `There is no ${request.method} ${path}; openapi.yaml lists what there is`
    sendProblem(new LeadlineError('ROUTE_UNKNOWN', detail), request, reply)
  })
}

/** What was not foreseen is logged and hidden. */
export function answerFailure(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const failure = named(error)
  if (failure.code === 'INTERNAL') request.log.error({ err: failure.cause ?? failure }, 'request failed')
  sendProblem(failure, request, reply)
}

function sendProblem(failure: LeadlineError, request: FastifyRequest, reply: FastifyReply): void {
  const { status, temporary } = failure.definition
  if (temporary && status !== 500) {
    reply.header('retry-after', Math.ceil((failure.retryAfterMs ?? defaultRetryAfterMs) / 1000))
  }
  // Serialized by hand: a route need not have foreseen the status for it to look like every other failure.
  const body = JSON.stringify(problemOf(failure, request.id))
  reply.code(status).type(problemMediaType).serializer(String).send(body)
}

/** Fastify's own refusals get our names; their texts name the offending value already. */
function named(error: FastifyError): LeadlineError {
  if (error instanceof LeadlineError) return error
  if (isTooLarge(error)) return new LeadlineError('FRAME_TOO_LARGE', error.message, { cause: error })
  const isTheClients = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
  if (isTheClients) return new LeadlineError('REQUEST_INVALID', error.message, { cause: error })
  return asLeadlineError(error)
}

/** Only images are read into memory; a clip is counted while it goes to disk. */
function isTooLarge({ code }: FastifyError): boolean {
  return code === 'FST_ERR_CTP_BODY_TOO_LARGE' || code === 'FST_REQ_FILE_TOO_LARGE'
}
