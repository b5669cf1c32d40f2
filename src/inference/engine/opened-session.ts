import type { Delivery, OpenedSession, SessionOptions } from '../../session.ts'
import { VDA_WINDOW, windowShape } from '../latents/window.ts'
import { replayShape } from '../recovery/replay.ts'
import { firstEpoch } from '../recovery/timeline.ts'
import type { SessionPlan } from '../session-plan.ts'
import type { SteppedSession } from './runnable.ts'

/**
 * Frames a client may have without an outcome: enough to keep decoder, executor and encoder busy at once, and for
 * `lossless` a few more against jitter of the network.
 */
const maxInFlight: Record<Delivery, number> = { latest: 4, adaptive: 4, lossless: 8 }

/** An offline window is full before its first frame has depth; a few more keep the decoder busy. */
const offlineInFlight = VDA_WINDOW + 8

/** What the engine settled on. */
export function openedSession(
  session: SteppedSession,
  { plan, options, bytes }: { plan: SessionPlan; options: SessionOptions; bytes: number }
): OpenedSession {
  const history = session.kind === 'frame' ? session.memory.history : null
  return {
    model: options.model,
    modelDigest: plan.digest,
    mode: plan.mode,
    cacheSize: windowShape(plan.mode, plan.cacheSize).places,
    epoch: history?.timeline.epoch ?? firstEpoch,
    continuity: history?.untold ?? null,
    replay: replayShape(plan),
    maxInFlight: history ? maxInFlight[options.delivery] : offlineInFlight,
    bytes
  }
}
