import type { FastifyBaseLogger } from 'fastify'
import type { ErrorCode, LeadlineError } from '../../errors.ts'
import type { Failures, PublicFailure } from '../failures.ts'

/** What one client is told of failures. What ends a stream fails each of its frames: a line in the log for the first is enough. */
export class StreamFailures {
  readonly #failures: Failures
  readonly #log: FastifyBaseLogger
  readonly #logged = new Set<ErrorCode>()

  constructor(failures: Failures, log: FastifyBaseLogger) {
    this.#failures = failures
    this.#log = log
  }

  tell(failure: LeadlineError): PublicFailure {
    const isLogged = this.#logged.has(failure.code)
    this.#logged.add(failure.code)
    return this.#failures.tell(failure, isLogged ? null : this.#log)
  }
}
