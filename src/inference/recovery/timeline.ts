/** Where a session is in its video. Plain data; the functions below give the next one. */
export interface Timeline {
  epoch: number
  /** Frames the latent cache has seen in this epoch, blank ones not counted: it does not remember them. */
  framesSeen: number
  /** The plan of the epoch's frames; null before the first. */
  planKey: string | null
}

export const firstEpoch = 1

export const startOfTimeline: Timeline = { epoch: firstEpoch, framesSeen: 0, planKey: null }

/** A new epoch with nothing seen. */
export function forget(timeline: Timeline): Timeline {
  return { epoch: timeline.epoch + 1, framesSeen: 0, planKey: null }
}

/** Whether a frame of this plan cannot continue the epoch: a latent cache has the size of its network. */
export function breaks(timeline: Timeline, planKey: string): boolean {
  return timeline.planKey !== null && timeline.planKey !== planKey
}

/** After one more frame of the plan. */
export function extended(timeline: Timeline, planKey: string): Timeline {
  return { ...passed(timeline, planKey), framesSeen: timeline.framesSeen + 1 }
}

/** After a blank frame of the plan. */
export function passed(timeline: Timeline, planKey: string): Timeline {
  return { ...timeline, planKey }
}
