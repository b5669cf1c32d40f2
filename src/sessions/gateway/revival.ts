import type { ValidFrame } from '../../wire/frame.ts'
import type { Account } from '../../metering/measures.ts'
import type { SessionContext } from '../../session.ts'
import type { LiveSession } from './live-session.ts'
import { Lifeline } from './past/lifeline.ts'
import type { Provisions } from './past/lifeline.ts'
import type { SessionWish } from '../placement.ts'
import type { Resumed, ResumeWish, WantedPast } from '../sessions.ts'
import type { SessionRow, SessionTerms } from '../session-store.ts'

/** Only what clips do not open can be resumed. */
export function accountOf({ owner }: Pick<SessionRow, 'owner'>): Account {
  return { owner, isClip: false }
}

/** Of a client's frames: it goes to a worker in one piece. */
const mostWantedBytes = 32 * 2 ** 20

interface RevivalOptions {
  live: LiveSession
  row: SessionRow & { terms: SessionTerms }
  /** Up to where the client has outcomes. */
  position: ResumeWish
  /** What this gateway has of it, up to there; null: nothing. */
  kept: SessionContext | null
  provisions: Provisions
  /** Find it another worker. */
  replace: (live: LiveSession, sought: SessionWish) => void
}

export interface Revival {
  resumed: Resumed
  wanted?: WantedPast
}

/**
 * Go on with a session that has no worker any more, on another one. Whatever the client has no outcome of counts as never
 * accepted, so that it is sent again; the past is what this gateway has of it, or what the client is asked for.
 */
export function revive(options: RevivalOptions): Revival {
  const { live, position, row } = options
  const kept = options.kept && saysMore(options.kept) ? options.kept : null
  const { seq } = position
  const epoch = epochOf(options, kept)
  const { opened, options: wishes } = row.terms
  const lifeline = new Lifeline({
    ...{
      ...options.provisions,
      account: accountOf(row),
      options: wishes,
      opened,
      isNew: false,
      frames: [],
      isResumable: true,
      after: seq
    }
  })
  live.revive(lifeline)
  const goOn = (context: SessionContext): void => {
    lifeline.restore(context)
    options.replace(live, lifeline.sought)
  }
  const resumed = { epoch, digest: null, seq, after: seq, unsettled: [] }
  if (kept) {
    goOn({ ...kept, epoch })
    return { resumed: { ...resumed, continuity: kept.frames.length > 0 ? 'rebuilt' : 'new' } }
  }
  const { keepsFirst, recent } = opened.replay
  const give = (frames: readonly ValidFrame[]): void => {
    const seen = frames.filter(({ header }) => header.seq <= seq)
    goOn({ ...unknown, epoch, frames: seen })
  }
  const wanted = { frames: recent + (keepsFirst ? 1 : 0), bytes: mostWantedBytes, give }
  return { resumed: { ...resumed, continuity: 'new' }, wanted }
}

/**
 * In which the past was. What may go on exactly does so in its own: the row may say a later one, which the lost worker began
 * and no client heard of. Else, of what is kept here and what the row says either may be of a time before the client's last
 * outcome.
 */
function epochOf({ position, row, kept: any }: RevivalOptions, kept: SessionContext | null): number {
  if (kept !== null && kept.framesSeen !== null) return kept.epoch
  return Math.max(row.epoch, position.epoch, any?.epoch ?? 0)
}

/** Not of a session that came back once before, and whose client was gone again before it could send anything of its past. */
function saysMore({ frames, framesSeen }: SessionContext): boolean {
  return frames.length > 0 || framesSeen === 0
}

const unknown = { framesSeen: null, digest: null, seam: null, latents: null, notes: null }
