import type { Delivery } from '../../session.ts'

/** `latest` may have this many frames without outcome on the way; beyond it a new frame is dropped at the door. */
export const latestInFlight = 1024
/** No stream may have more frames without outcome than this. A list of dropped frames must not grow without end. */
export const mostUnsettled = 16 * latestInFlight

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
 * frame beyond it fails, the second ends the stream. A `latest` client may send as fast as it likes.
 */
export function admit(traffic: Traffic): 'submit' | 'drop' | 'refuse' | 'end' {
  const { delivery, unsettled, maxInFlight, warned } = traffic
  if (unsettled >= mostUnsettled) return 'end'
  if (delivery === 'latest') return unsettled < latestInFlight ? 'submit' : 'drop'
  if (unsettled < maxInFlight) return 'submit'
  return warned ? 'end' : 'refuse'
}
