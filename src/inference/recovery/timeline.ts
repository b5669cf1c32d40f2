import { chained, emptyDigest } from '../../wire/state-digest.ts'

/** Where a session is in its video. Plain data; the functions below give the next one. */
export interface Timeline {
  epoch: number
  /** Frames the latent cache has seen in this epoch, blank ones not counted: it does not remember them. */
  framesSeen: number
  /** Of those frames; see src/wire/state-digest.ts. */
  digest: string
  /** The plan of the epoch's frames; null before the first. */
  planKey: string | null
}

export const firstEpoch = 1

const nothingSeen = { framesSeen: 0, digest: emptyDigest, planKey: null }

export const startOfTimeline: Timeline = { epoch: firstEpoch, ...nothingSeen }

/** A new epoch with nothing seen. */
export function forget(timeline: Timeline): Timeline {
  return { epoch: timeline.epoch + 1, ...nothingSeen }
}

/** Whether a frame of this plan cannot continue the epoch: a latent cache has the size of its network. */
export function breaks(timeline: Timeline, planKey: string): boolean {
  return timeline.planKey !== null && timeline.planKey !== planKey
}

/** What of a frame the digest is made of. */
export interface FrameMark {
  seq: number
  payloadDigest: string
}

/** After one more frame of the plan. */
export function extended(timeline: Timeline, planKey: string, frame: FrameMark): Timeline {
  const { framesSeen, digest } = timeline
  return {
    ...passed(timeline, planKey),
    framesSeen: framesSeen + 1,
    digest: chained(digest, frame.seq, frame.payloadDigest)
  }
}

/** After a blank frame of the plan. */
export function passed(timeline: Timeline, planKey: string): Timeline {
  return { ...timeline, planKey }
}
