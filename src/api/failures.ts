import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import type { Counter } from 'prom-client'
import { errorTitles } from '../error-titles.ts'
import type { ErrorCode, LeadlineError } from '../errors.ts'
import { publicDetails } from './public-details.ts'
import { counter } from '../metering/meters.ts'

/** A failure as clients may see it. */
export interface PublicFailure {
  code: ErrorCode
  title: string
  detail: string
  temporary: boolean
  /** Of temporary failures. */
  retryAfterMs?: number
}

export interface FailuresOptions {
  metrics: Registry
  /** Numbers in [0, 1). @default Math.random */
  random?: () => number
}

/**
 * What is told of failures, and to whom: clients hear what to do, the log has what only the operator may see, and
 * `leadline_failures_total` counts all of them by code.
 */
export class Failures {
  readonly #random: () => number
  readonly #counter: Counter

  constructor({ metrics, random = Math.random }: FailuresOptions) {
    this.#random = random
    this.#counter = counter(metrics, 'leadline_failures_total')
  }

  /** `log` null: it was written already. */
  tell(failure: LeadlineError, log: FastifyBaseLogger | null): PublicFailure {
    const { code, message, isTemporary } = failure
    const title = errorTitles[code]
    const publicDetail = publicDetails[code]
    this.#counter.inc({ code })
    if (code === 'INTERNAL') log?.error({ err: failure.cause ?? failure }, 'unexpected failure')
    else if (publicDetail !== undefined) log?.warn({ code, detail: message, err: failure.cause }, title)
    const retryAfterMs = this.#retryAfterMs(failure)
    return {
      ...{ code, title, detail: publicDetail ?? message, temporary: isTemporary },
      ...(retryAfterMs === null ? {} : { retryAfterMs })
    }
  }

  /** From half to one and a half of the mean: clients that failed together do not come back together. */
  #retryAfterMs({ definition: { retryMs }, retryAfterMs }: LeadlineError): number | null {
    return retryMs === null ? null : Math.round((retryAfterMs ?? retryMs) * (0.5 + this.#random()))
  }
}
