import type { SessionOptions } from '../../session.ts'
import { corrected, stabilize } from '../stability/depth-stabilizer.ts'
import type { StabilizerState } from '../stability/depth-stabilizer.ts'
import type { Executor } from '../executor.ts'
import { depthOfCells } from '../stability/frame-grid.ts'
import { inferWindows } from '../offline/infer-windows.ts'
import type { RunSlice } from '../offline/infer-windows.ts'
import { prepareRgb } from '../pixels/preprocess.ts'
import type { Size } from '../pixels/resolution.ts'
import { newScene, watchScene } from '../stability/scene-cut.ts'
import { seeFrame } from '../stability/seen-frame.ts'
import { planOf, sessionPlan } from '../session-plan.ts'
import type { ServedModel } from '../session-plan.ts'

export interface SequenceFrame extends Size {
  /** RGB, uint8, height x width x 3. */
  rgb: Uint8Array
}

export interface SequenceDepth {
  /** float32, height x width of `size`, as the network gives it, held steady if that was wished. */
  depth: Float32Array
  /** Network size, in pixels. */
  size: Size
}

/** How a sequence is run; cuts and drift are left alone unless it says otherwise. */
export type SequenceOptions = Pick<SessionOptions, 'mode' | 'cacheSize'> &
  Partial<Pick<SessionOptions, 'sceneCut' | 'stabilize'>>

/**
 * Depth of the frames of one video, without sessions, sockets or encoding: one fresh state sees them in order, and
 * remembers those that are not blank. For evaluation and benchmarks. Mode vda-window leaves cuts, drift and blank frames
 * alone. All frames have the size of the first. The executor stays open and keeps the model loaded. Throws
 * MODEL_MODE_UNSUPPORTED, EXECUTOR_FAILED or MODEL_FILE_INVALID.
 */
export async function* inferSequence(
  executor: Executor,
  model: ServedModel,
  options: SequenceOptions,
  frames: Iterable<SequenceFrame> | AsyncIterable<SequenceFrame>
): AsyncGenerator<SequenceDepth> {
  if (options.mode === 'vda-window') return yield* inferOffline(executor, model, options, frames)
  const plan = sessionPlan(model, options)
  let loaded: { model: number; state: number } | null = null
  let framesSeen = 0
  let scene = newScene
  let stabilizer: StabilizerState | null = null
  try {
    for await (const { rgb, width, height } of frames) {
      const prepared = await prepareRgb(rgb, { width, height }, model.manifest.resolution)
      const { rgb: frame, size } = prepared
      if (!loaded) {
        const handle = await executor.load(planOf(plan, size))
        loaded = { model: handle, state: await executor.newState(handle) }
      }
      const { grid, isBlank } = seeFrame(prepared)
      const watched = options.sceneCut && !isBlank ? watchScene(scene, grid) : { scene, isCut: false }
      scene = watched.scene
      if (watched.isCut) [framesSeen, stabilizer] = [0, null]
      const [result] = await executor.step(loaded.model, [{ state: loaded.state, framesSeen, frame }])
      if (!isBlank) framesSeen += 1
      if (!result) return
      if (options.stabilize && !isBlank)
        stabilizer = stabilize(stabilizer, grid, depthOfCells(result.depth, size, grid))
      yield { depth: stabilizer ? corrected(result.depth, stabilizer.correction) : result.depth, size }
    }
  } finally {
    if (loaded) await executor.free(loaded.state)
  }
}

async function* inferOffline(
  executor: Executor,
  model: ServedModel,
  options: SequenceOptions,
  frames: Iterable<SequenceFrame> | AsyncIterable<SequenceFrame>
): AsyncGenerator<SequenceDepth> {
  const { manifest } = model
  const plan = sessionPlan(model, options)
  const loaded: { model: number; state: number; size: Size }[] = []
  async function* prepared(): AsyncGenerator<Uint8Array> {
    for await (const { rgb, width, height } of frames) {
      const { rgb: frame, size } = await prepareRgb(rgb, { width, height }, manifest.resolution)
      if (loaded.length === 0) {
        const handle = await executor.load(planOf(plan, size))
        loaded.push({ model: handle, state: await executor.newState(handle), size })
      }
      yield frame
    }
  }
  try {
    const run: RunSlice = (slice) => executor.slice(loaded[0]!.model, { ...slice, state: loaded[0]!.state })
    const isMetric = manifest.quantity === 'metric-depth'
    for await (const depth of inferWindows(run, prepared(), { isMetric }))
      yield { depth, size: loaded[0]!.size }
  } finally {
    for (const { state } of loaded) await executor.free(state)
  }
}
