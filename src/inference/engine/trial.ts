import { LeadlineError } from '../../errors.ts'
import { frameOfPixels } from '../../wire/own-frame.ts'
import type { FrameEngine } from '../../frame-engine.ts'
import type { SessionEvent } from '../../session.ts'
import { sessionOptions } from '../../session.ts'
import type { Size } from '../pixels/resolution.ts'

const sessionId = 'trial'
/** Of most cameras; the network's size follows from it alone, so that the first session finds its model loaded. */
const usualSize = { width: 320, height: 180 }

/**
 * One frame of `model` the way that frames of sessions go: what is ready after it can serve. Throws what such a session
 * would have been told.
 */
export async function tryOut(engine: FrameEngine, model: string, size: Size = usualSize): Promise<void> {
  const modes = engine.offer.models.find(({ name }) => name === model)?.temporal.modes ?? []
  const mode = modes.includes('ovda') ? 'ovda' : modes[0]
  const options = { ...sessionOptions({ delivery: 'lossless' }, model), ...(mode && { mode }) }
  try {
    await new Promise<void>((resolve, reject) => {
      const onEvent = (event: SessionEvent): void => {
        if (event.type === 'flushed') resolve()
        if (event.type === 'error') reject(new LeadlineError(event.code, event.detail))
      }
      const submit = (): void => {
        engine.submit(sessionId, frameOfPixels(0, { rgb: slope(size), ...size, timestampUs: 0 }))
        engine.flush(sessionId, '')
      }
      engine.open(sessionId, options, onEvent).then(submit, reject)
    })
  } finally {
    await engine.close(sessionId)
  }
}

/** A picture that is dark on one side and bright on the other. */
function slope({ width, height }: Size): Uint8Array {
  return Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => 255 * ((Math.floor(i / 3) % width) / width)
  )
}
