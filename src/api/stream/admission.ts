import type { Delivery } from '../../session.ts'

/** No stream may have more frames without outcome than this: the list of those that were superseded must end somewhere. */
export const mostUnsettled = 16_384

export interface Traffic {
  delivery: Delivery
  /** Frames whose outcome was not sent yet. */
  unsettled: number
  /** What `ready` granted; binding for `lossless`. */
  maxInFlight: number
  /** Whether the client was told once that it sends too much. */
  warned: boolean
}

/**
 * What becomes of one more frame. A `lossless` client counts the outcomes it gets, so it can know its limit: the first
 * frame beyond it fails, the second ends the stream. A `latest` client may send as fast as it likes: its frames supersede each other.
 */
export function admit(traffic: Traffic): 'submit' | 'refuse' | 'end' {
  const { delivery, unsettled, maxInFlight, warned } = traffic
  if (unsettled >= mostUnsettled) return 'end'
  if (delivery !== 'lossless' || unsettled < maxInFlight) return 'submit'
  return warned ? 'end' : 'refuse'
}
