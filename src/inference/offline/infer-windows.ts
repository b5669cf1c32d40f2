import type { SliceRow } from '../executor.ts'
import { WindowSchedule } from './window-schedule.ts'
import { WindowStitcher } from './window-stitcher.ts'

/** Runs one slice on a state that the caller owns. */
export type RunSlice = (slice: Omit<SliceRow, 'state'>) => Promise<{ depth: Float32Array } | null>

/**
 * Depth of the frames of one clip, in mode vda-window, as they become known: RGB of network size in, maps in the order of
 * the frames out. At most 32 frames are read ahead.
 */
export async function* inferWindows(
  run: RunSlice,
  frames: AsyncIterable<Uint8Array>,
  { isMetric }: { isMetric: boolean }
): AsyncGenerator<Float32Array> {
  const schedule = new WindowSchedule()
  const stitcher = new WindowStitcher({ isMetric })
  let numUnanswered = 0
  let last: Uint8Array | null = null
  for await (const frame of frames) {
    last = frame
    numUnanswered += 1
    await takeIn(schedule, run, frame)
    for await (const map of stitched(schedule, run, stitcher)) {
      numUnanswered -= 1
      yield map
    }
  }
  while (last && schedule.isBegun && schedule.wantsFrame) await takeIn(schedule, run, last)
  for await (const map of stitched(schedule, run, stitcher)) if (numUnanswered-- > 0) yield map
  for (const map of stitcher.rest()) if (numUnanswered-- > 0) yield map
}

async function takeIn(schedule: WindowSchedule, run: RunSlice, frame: Uint8Array): Promise<void> {
  const { stage, slot, places } = schedule.take()
  await run({ stage, slot, places, frame })
}

/** The maps that the rest of a full window gives; none while it wants frames. */
async function* stitched(
  schedule: WindowSchedule,
  run: RunSlice,
  stitcher: WindowStitcher
): AsyncGenerator<Float32Array> {
  while (!schedule.wantsFrame) {
    const { place, ...slice } = schedule.take()
    const result = await run({ ...slice, frame: null })
    const map = result && stitcher.push(place, result.depth)
    if (map) yield map
  }
}
