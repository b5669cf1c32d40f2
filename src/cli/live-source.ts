import type { Delivery } from '../session.ts'
import type { LiveAddress, LiveEvent } from '../video/index.ts'
import { describeAddress, hasOwnPace, newest, readLive } from '../video/index.ts'
import type { VideoSource } from './video-source.ts'

/** Frames that come at their own pace: with delivery latest the newest, else all. */
export function liveSource(
  address: LiveAddress,
  { delivery: wished, say }: { delivery: Delivery | null; say: (line: string) => void }
): { source: VideoSource; delivery: Delivery } {
  const delivery = wished ?? (hasOwnPace(address) ? 'latest' : 'lossless')
  const stopping = new AbortController()
  const end = () => stopping.abort()
  const place = describeAddress(address)
  const onEvent = (event: LiveEvent) => say(`${place}: ${describeEvent(event)}`)
  let skipped = 0
  async function* frames() {
    const all = readLive(address, { signal: stopping.signal, onEvent })
    if (delivery !== 'latest') return yield* all
    yield* newest(all, { onSkipped: () => void skipped++, end })
    if (skipped > 0) say(`${place}: ${skipped} frames were passed over, since newer ones had come`)
  }
  return {
    source: { fps: null, frameCount: null, frames, warnings: [], live: { end } },
    delivery
  }
}

function describeEvent(event: LiveEvent): string {
  if (event.type === 'lost') return `lost (${event.reason}); asking for it again, Ctrl-C ends`
  return `back after ${(event.afterMs / 1000).toFixed(1)} s`
}
