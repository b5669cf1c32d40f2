import { LeadlineError } from '../errors.ts'
import type { Codec, Header } from '../frame.ts'
import { decodeMessage } from '../frame.ts'
import type { SessionEvent, SessionOptions } from '../session.ts'
import type { Sessions } from '../sessions/index.ts'
import { frameOfImage } from './own-frame.ts'

export interface SingleDepth {
  /** The depth map as one binary message: header and payload. */
  message: Uint8Array
  header: Header
  payload: Uint8Array
  /** The model that made it. */
  model: string
}

/** Depth of one image by itself, in a session of its own that is closed again, also when `signal` gives up on it. */
export async function depthOfImage(
  sessions: Sessions,
  options: SessionOptions,
  image: { codec: Codec; bytes: Uint8Array },
  signal: AbortSignal
): Promise<SingleDepth> {
  let onEvent: (event: SessionEvent) => void = () => undefined
  const session = await sessions.open(options, (event) => onEvent(event))
  try {
    const message = await new Promise<Uint8Array>((resolve, reject) => {
      onEvent = (event) => settle(event, resolve, reject)
      const abandon = () =>
        reject(new LeadlineError('REQUEST_INVALID', 'The client left before its depth was ready'))
      if (signal.aborted) return abandon()
      signal.addEventListener('abort', abandon, { once: true })
      session.submit(frameOfImage(image.codec, image.bytes))
    })
    return { ...decodeMessage(message), model: session.opened.model }
  } finally {
    await session.close()
  }
}

function settle(
  event: SessionEvent,
  resolve: (message: Uint8Array) => void,
  reject: (error: Error) => void
): void {
  if (event.type === 'result') resolve(event.message)
  if (event.type === 'error') reject(new LeadlineError(event.code, event.detail))
  if (event.type === 'drop')
    reject(new LeadlineError('WORKER_LOST', 'The image was dropped before its turn; try again'))
}
