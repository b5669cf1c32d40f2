import { ForbiddenAddressError, requestWeb, webAddress } from '../../machine/web-request.ts'
import type { Delivery, TryEnd } from '../delivery.ts'
import { signatures } from './signature.ts'

export interface SendOptions {
  /** The newest first. */
  secrets: readonly string[]
  /** Private addresses that may be asked all the same: single ones, or networks as 10.0.0.0/8. */
  allowedNetworks: readonly string[]
  /** For all of a try, name and connection included. */
  timeoutMs: number
  /** Breaks the try off. */
  closing: AbortSignal
  nowMs: number
}

/** The receiver wants no more: Standard Webhooks 1.0.0. */
const gone = 410

/** One try. A redirect is a failure, and of an answer no more than its head is read. Never rejects. */
export async function send(delivery: Delivery, options: SendOptions): Promise<TryEnd> {
  const { secrets, allowedNetworks, timeoutMs, closing, nowMs } = options
  if (secrets.length === 0) return failed('its owner has no secret to sign with', true)
  const { id, url, type, timestamp, data } = delivery
  const body = JSON.stringify({ type, timestamp, data })
  const seconds = Math.floor(nowMs / 1000)
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([timeout, closing])
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'leadline',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures({ id, timestamp: seconds, body }, secrets)
  }
  try {
    const request = { method: 'POST', headers, body, allowedNetworks, silenceMs: timeoutMs, signal } as const
    const response = await requestWeb(webAddress(url), request)
    response.on('error', () => undefined)
    response.destroy()
    return judged(response.statusCode ?? 0)
  } catch (error) {
    if (error instanceof ForbiddenAddressError) return failed(`the address ${error.message}`, true)
    return failed(timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error), false)
  }
}

function judged(status: number): TryEnd {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  if (status >= 300 && status < 400) return failed(`it answered ${status}; redirects are not followed`, false)
  return failed(`it answered ${status}`, status === gone)
}

function failed(reason: string, isFinal: boolean): TryEnd {
  return { kind: 'failed', reason, isFinal }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  return error instanceof Error ? error.message : String(error)
}
