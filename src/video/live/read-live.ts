import { setTimeout as sleep } from 'node:timers/promises'
import type { Size } from '../../maps/bilinear.ts'
import { LeadlineError } from '../../errors.ts'
import type { VideoFrame } from '../reader.ts'
import { liveConnection } from './live-connection.ts'
import { LiveClock } from './live-clock.ts'
import type { LiveAddress } from './source-address.ts'
import { describeAddress } from './source-address.ts'

const firstWaitMs = 500
const longestWaitMs = 10_000

export type LiveEvent =
  | { type: 'lost'; reason: string }
  /** `afterMs`: from its last frame to the first new one. */
  | { type: 'back'; afterMs: number }

export interface LiveOptions {
  /** Ends the frames. */
  signal: AbortSignal
  onEvent: (event: LiveEvent) => void
}

/**
 * The frames of a source until it is over or the signal aborts. A source that is lost is asked for again, for as long as it
 * takes, and keeps the size it had; what has an end, such as a file on a web server or a pipe, is over there. Times go on over a loss.
 * Throws CLIP_INVALID when it gives no picture to begin with, TOOL_MISSING.
 */
export async function* readLive(
  address: LiveAddress,
  { signal, onEvent }: LiveOptions
): AsyncGenerator<VideoFrame, void, undefined> {
  const clock = new LiveClock()
  let size: Size | null = null
  let lastMs: number | null = null
  for (let attempt = 0; !signal.aborted; attempt++) {
    const connection = liveConnection(address, { size, clock, signal })
    let count = 0
    try {
      let next = await connection.next()
      for (; next.done !== true; next = await connection.next()) {
        if (count++ === 0 && lastMs !== null) onEvent({ type: 'back', afterMs: performance.now() - lastMs })
        lastMs = performance.now()
        size ??= { width: next.value.width, height: next.value.height }
        yield next.value
      }
      if (signal.aborted) return
      const { isWhole } = next.value
      const reason = withoutAddress(next.value.reason, address)
      if (lastMs === null) throw noPicture(address, reason)
      if (isWhole) return
      if (count > 0) {
        attempt = 0
        onEvent({ type: 'lost', reason })
      }
    } finally {
      await connection.return({ isWhole: false, reason: '' })
    }
    const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** attempt)
    await sleep(waitMs, undefined, { signal }).catch(() => undefined)
  }
}

function noPicture(address: LiveAddress, reason: string): LeadlineError {
  const remedy =
    address.kind === 'pipe'
      ? 'write a container that can be read without seeking, such as nut, mpegts or matroska'
      : 'is the address right, and may this machine reach it?'
  return new LeadlineError(
    'CLIP_INVALID',
    `${describeAddress(address)} gives no picture (${reason}); ${remedy}`
  )
}

/** ffmpeg names what it cannot open, with the password in it. */
function withoutAddress(reason: string, address: LiveAddress): string {
  return 'url' in address ? reason.replaceAll(address.url, describeAddress(address)) : reason
}
