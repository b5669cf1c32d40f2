import type { SessionOptions } from '../session.ts'
import type { Executor } from './executor.ts'
import { prepareRgb } from './preprocess.ts'
import type { Size } from './resolution.ts'
import { planOf, sessionPlan } from './session-plan.ts'
import type { ServedModel } from './session-plan.ts'

export interface SequenceFrame extends Size {
  /** RGB, uint8, height x width x 3. */
  rgb: Uint8Array
}

export interface SequenceDepth {
  /** float32, height x width of `size`, as the network gives it. */
  depth: Float32Array
  /** Network size, in pixels. */
  size: Size
}

/**
 * Depth of the frames of one video, without sessions, sockets or encoding: one fresh state sees them in order. For
 * evaluation and benchmarks. All frames have the size of the first. The executor stays open and keeps the model loaded.
 * Throws MODEL_MODE_UNSUPPORTED, EXECUTOR_FAILED or MODEL_FILE_INVALID.
 */
export async function* inferSequence(
  executor: Executor,
  model: ServedModel,
  options: Pick<SessionOptions, 'mode' | 'cacheSize'>,
  frames: Iterable<SequenceFrame> | AsyncIterable<SequenceFrame>
): AsyncGenerator<SequenceDepth> {
  const plan = sessionPlan(model, options)
  let place: { model: number; state: number } | null = null
  let framesSeen = 0
  try {
    for await (const { rgb, width, height } of frames) {
      const prepared = await prepareRgb(rgb, { width, height }, model.manifest.resolution)
      if (!place) {
        const handle = await executor.load(planOf(plan, prepared.size))
        place = { model: handle, state: await executor.newState(handle) }
      }
      const row = { state: place.state, framesSeen, frame: prepared.rgb }
      for (const { depth } of await executor.step(place.model, [row])) yield { depth, size: prepared.size }
      framesSeen += 1
    }
  } finally {
    if (place) await executor.free(place.state)
  }
}
