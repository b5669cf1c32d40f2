import type { ConnectionEvent } from '../client/index.ts'
import type { Continuity } from '../session.ts'

/** What the session has left of the frames before. */
const past: Readonly<Record<Continuity, string>> = {
  exact: 'as if nothing had happened',
  rebuilt: 'its past made anew from the last frames',
  new: 'without its past'
}

/** What happened to the connection of a stream, for people; null: its failure is told anyway, or it is none. */
export function connectionLine(event: ConnectionEvent): string | null {
  switch (event.type) {
    case 'lost':
      return `connection lost (${event.error.message}); trying again for ${seconds(event.graceMs)}`
    case 'resumed': {
      const { attempts, continuity, ms, resent } = event
      const tries = attempts === 1 ? '' : `, at attempt ${attempts}`
      return `connected again after ${seconds(ms)}${tries}: the session goes on ${past[continuity]}; ${resent} frames were sent again`
    }
    case 'goAway':
      return `the server leaves in ${seconds(event.timeLeftMs)}; moving to another`
    case 'recovered':
      // After a rest without device memory too, and of a stream that goes on from another.
      if (event.continuity === 'exact') return null
      return `the server lost what it knew of the video: from frame ${event.seq} on the session goes on ${past[event.continuity]}${stayed(event)}`
    case 'advice':
    case 'held':
    case 'notice':
    case 'parked':
    case 'failed':
      return null
  }
}

/** How far depth is from that before, where it could be compared. */
function stayed({ alignment }: Extract<ConnectionEvent, { type: 'recovered' }>): string {
  return alignment === undefined
    ? ''
    : `; depth differs from that before by ${(100 * alignment.residual).toFixed(1)} % of its extent`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
