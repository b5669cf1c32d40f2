import type { SavedContext } from '../../wire/context-bytes.ts'
import { LeadlineError } from '../../errors.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import { decodeMessage } from '../../wire/frame.ts'
import type { ModelOffer, SessionEvent } from '../../session.ts'
import type { OpenWish, Sessions } from '../../sessions/index.ts'
import type { VideoFrame } from '../../video/index.ts'
import { frameOfPixels } from '../../wire/own-frame.ts'
import { maxCheckpointBytes } from './clip-checkpoint.ts'
import { openPatiently } from './patient-open.ts'

export interface FeedOptions {
  sessions: Sessions
  options: OpenWish
  /** Read once there is a session, for the model that it runs. */
  frames: (offer: ModelOffer) => AsyncIterable<VideoFrame>
  /** The number of the first of them. */
  firstSeq: number
  /** What the session goes on from; null: it begins with the first frame. */
  from: SavedContext | null
  checkpoints: FeedCheckpoints
  signal: AbortSignal
}

export interface FeedCheckpoints {
  /** Asked once every frame behind it is submitted up to this one. */
  isDue: (seq: number) => boolean
  /** Of everything through `seq`, whose depth map comes before or after. */
  onSaved: (seq: number, saved: Uint8Array) => void
}

/**
 * The depth map of each frame, in order, through a lossless session that is closed when the loop is left. No more
 * frames are read than the session may have in flight. A frame without depth ends it with that frame's error; so does a
 * latent cache that is not what it was, since a clip's maps are all made of the same past: with CONTEXT_INVALID if that is
 * already so for the first.
 */
export async function* depthOfFrames(feed: FeedOptions): AsyncGenerator<ValidFrame, void, undefined> {
  const inbox = new EventInbox(feed.signal)
  const { from, firstSeq, checkpoints } = feed
  const options = from === null ? feed.options : { ...feed.options, from }
  const session = await openPatiently({ ...feed, options }, (event) => {
    if (event.type === 'checkpoint') checkpoints.onSaved(event.seq, event.saved)
    if (!isAside(event)) inbox.push(event)
  })
  let submitted = firstSeq
  let answered = submitted
  const next = async (): Promise<ValidFrame> => {
    const event = await inbox.next()
    if (from !== null && answered === firstSeq && event.type === 'recovered') throw notWhole()
    return resultOf(event)
  }
  try {
    if (from !== null && session.opened.continuity !== 'exact') throw notWhole()
    for await (const frame of feed.frames(session.offer)) {
      const seq = submitted++
      session.submit(frameOfPixels(seq, frame))
      if (checkpoints.isDue(seq)) session.checkpoint({ id: String(seq), seq, maxBytes: maxCheckpointBytes })
      if (submitted - answered < session.opened.maxInFlight) continue
      yield await next()
      answered++
    }
    // An offline window that is not full waits for more, unless it is told that there is none.
    session.flush('end')
    for (; answered < submitted; answered++) yield await next()
  } finally {
    await session.close()
  }
}

/** A new epoch is nobody's outcome; depth maps say theirs. */
function isAside(event: SessionEvent): boolean {
  if (event.type === 'recovered') return event.continuity === 'exact'
  return ['reset', 'notice', 'parked', 'checkpoint', 'checkpointFailed'].includes(event.type)
}

function notWhole(): LeadlineError {
  return new LeadlineError(
    'CONTEXT_INVALID',
    'The checkpoint of the clip is not exact; it goes on from its last cut'
  )
}

function resultOf(event: SessionEvent): ValidFrame {
  if (event.type === 'result') return decodeMessage(event.message)
  if (event.type === 'error') throw new LeadlineError(event.code, event.detail)
  if (event.type === 'recovered')
    throw new LeadlineError('WORKER_LOST', 'The past of the clip was lost with its worker')
  if (event.type === 'drop') throw new LeadlineError('DRAINING', 'The session of the clip was closed')
  throw new LeadlineError('INTERNAL', `A clip's session said "${event.type}"`)
}

/** Events wait here until they are asked for; an aborted signal ends the waiting. */
class EventInbox {
  readonly #events: SessionEvent[] = []
  readonly #signal: AbortSignal
  #wake: () => void = () => undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  push(event: SessionEvent): void {
    this.#events.push(event)
    this.#wake()
  }

  async next(): Promise<SessionEvent> {
    for (;;) {
      this.#signal.throwIfAborted()
      const event = this.#events.shift()
      if (event !== undefined) return event
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
