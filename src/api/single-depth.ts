import { LeadlineError } from '../errors.ts'
import type { Codec, Header } from '../wire/frame.ts'
import { decodeMessage } from '../wire/frame.ts'
import type { SessionEvent } from '../session.ts'
import type { OpenWish, Sessions } from '../sessions/index.ts'
import { frameOfImage } from '../wire/own-frame.ts'

export interface SingleDepth {
  /** The depth map as one binary message: header and payload. */
  message: Uint8Array
  header: Header
  payload: Uint8Array
  /** The model that made it. */
  model: string
}

/** From the session's opening on; a device that steps many sessions may need seconds. */
const deadlineMs = 60_000

/** Depth of one image by itself, in a session of its own that is closed again, also when `signal` gives up on it. */
export async function depthOfImage(
  sessions: Sessions,
  wish: OpenWish,
  image: { codec: Codec; bytes: Uint8Array },
  signal: AbortSignal
): Promise<SingleDepth> {
  let resolve: (message: Uint8Array) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const answer = new Promise<Uint8Array>((...settlers) => ([resolve, reject] = settlers))
  // It may fail before anybody waits for it: a session can end as soon as it is open.
  answer.catch(() => undefined)
  const session = await sessions.open(wish, (event) => settle(event, resolve, reject))
  const late = new LeadlineError('WORKER_LOST', `The image had no depth within ${deadlineMs} ms; try again`)
  const timer = setTimeout(() => reject(late), deadlineMs)
  const abandon = () =>
    reject(new LeadlineError('REQUEST_INVALID', 'The client left before its depth was ready'))
  signal.addEventListener('abort', abandon, { once: true })
  try {
    if (signal.aborted) abandon()
    else session.submit(frameOfImage(image.codec, image.bytes))
    return { ...decodeMessage(await answer), model: session.opened.model }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abandon)
    await session.close()
  }
}

function settle(
  event: SessionEvent,
  resolve: (message: Uint8Array) => void,
  reject: (error: Error) => void
): void {
  if (event.type === 'result') resolve(event.message)
  // An image has no number that its sender knows of.
  if (event.type === 'error')
    reject(new LeadlineError(event.code, event.detail.replace(/^Frame 0\b/, 'The image')))
  if (event.type === 'drop')
    reject(new LeadlineError('WORKER_LOST', 'The image was dropped before its turn; try again'))
}
