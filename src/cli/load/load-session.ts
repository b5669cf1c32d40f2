import type { DepthStream, FrameInput, Outcome } from '../../client/index.ts'

export interface LoadPlan {
  /** When its first frame is due, on the clock of `now`. */
  startMs: number
  framesPerSecond: number
  /** How many are sent, as long as nothing ends the stream. */
  frames: number
  /** The picture that the frame of this number has. */
  pictureOf: (frame: number) => Omit<FrameInput, 'timestampUs'>
}

export interface LoadClock {
  now: () => number
  /** Resolves at that time. */
  until: (atMs: number) => Promise<void>
}

/** What became of a frame, in milliseconds from when it was due, whenever it could be sent. */
export interface LoadedOutcome {
  outcome: Outcome
  latencyMs: number
}

/**
 * One session of a load that does not wait for its server (open loop): each frame is due at its own time, and what keeps one from
 * being sent counts as its latency. Otherwise a server that stands still would be measured by the few frames that waited for it.
 */
export async function runLoad(
  stream: Pick<DepthStream, 'send' | 'close' | 'outcomes'>,
  { startMs, framesPerSecond, frames, pictureOf }: LoadPlan,
  { clock, onOutcome }: { clock: LoadClock; onOutcome: (loaded: LoadedOutcome) => void }
): Promise<void> {
  const dueMs = (frame: number): number => startMs + (frame * 1000) / framesPerSecond
  const send = async (): Promise<void> => {
    for (let frame = 0; frame < frames; frame++) {
      await clock.until(dueMs(frame))
      await stream.send({ ...pictureOf(frame), timestampUs: Math.round((frame * 1e6) / framesPerSecond) })
    }
    await stream.close()
  }
  const read = async (): Promise<void> => {
    for await (const outcome of stream.outcomes)
      onOutcome({ outcome, latencyMs: clock.now() - dueMs(outcome.seq) })
  }
  await Promise.all([send(), read()])
}
