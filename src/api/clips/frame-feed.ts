import { LeadlineError } from '../../errors.ts'
import type { ValidFrame } from '../../frame.ts'
import { decodeMessage } from '../../frame.ts'
import type { ModelOffer, SessionEvent, SessionOptions } from '../../session.ts'
import type { Sessions } from '../../sessions/index.ts'
import type { VideoFrame } from '../../video/index.ts'
import { frameOfPixels } from '../../own-frame.ts'
import { openPatiently } from './patient-open.ts'

export interface FeedOptions {
  sessions: Sessions
  options: SessionOptions
  /** Read once there is a session, for the model that it runs. */
  frames: (offer: ModelOffer) => AsyncIterable<VideoFrame>
  signal: AbortSignal
}

const asides: ReadonlySet<string> = new Set(['reset', 'recovered', 'notice', 'parked'])

/**
 * The depth map of each frame, in order, through a lossless session that is closed when the loop is left. No more
 * frames are read than the session may have in flight. A frame without depth ends it with that frame's error.
 */
export async function* depthOfFrames(feed: FeedOptions): AsyncGenerator<ValidFrame, void, undefined> {
  const inbox = new EventInbox(feed.signal)
  const session = await openPatiently(feed, (event) => {
    // A new epoch is nobody's outcome; depth maps say theirs.
    if (!asides.has(event.type)) inbox.push(event)
  })
  let submitted = 0
  let answered = 0
  try {
    for await (const frame of feed.frames(session.offer)) {
      session.submit(frameOfPixels(submitted++, frame))
      if (submitted - answered < session.opened.maxInFlight) continue
      yield resultOf(await inbox.next())
      answered++
    }
    // An offline window that is not full waits for more, unless it is told that there is none.
    session.flush('end')
    for (; answered < submitted; answered++) yield resultOf(await inbox.next())
  } finally {
    await session.close()
  }
}

function resultOf(event: SessionEvent): ValidFrame {
  if (event.type === 'result') return decodeMessage(event.message)
  if (event.type === 'error') throw new LeadlineError(event.code, event.detail)
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
