import type { LeadlineError } from '../errors.ts'
import type { Architecture, Precision } from '../manifest.ts'
import type { Mode } from '../session.ts'
import type { Transfers } from './transfers.ts'

/** What to build: one network at one size. Two plans with equal `planKey` share everything but their states. */
export interface Plan {
  weightsPath: string
  /** SHA-256 of the weights; part of the key, so that a replaced file is never mistaken for the old one. */
  digest: string
  architecture: Architecture
  mode: Mode
  /** Network size in pixels, multiples of the patch. */
  height: number
  width: number
  /** L, frames in the window of mode ovda; other modes ignore it. */
  cacheSize: number
  attendSelf: boolean
  precision: Precision
}

export function planKey(plan: Plan): string {
  const { digest, mode, height, width, cacheSize, attendSelf, precision } = plan
  return [digest, mode, `${height}x${width}`, cacheSize, attendSelf, precision].join('/')
}

/** Handles are numbers so that they cross a process border unchanged. */
export type ModelHandle = number
export type StateHandle = number

/** One row of a batch. State is an argument: (frame, cache, position) → (depth, cache). */
export interface StepRow {
  state: StateHandle
  /**
   * Frames that the state remembers of those since it was new or reset; 0 makes the executor ignore whatever the cache
   * holds. A step at the same number as the one before it takes that one's place, which then leaves no trace.
   */
  framesSeen: number
  /** RGB, uint8, height x width x 3, at network size. */
  frame: Uint8Array
  /** Where the depth is wanted, float32, height x width. An executor may give memory of its own all the same. */
  into?: Float32Array | undefined
}

/**
 * One slice of a window of mode vda-window: one stage for one of its frames (graph/window-values.ts has the stages). No
 * slice takes longer than an ordinary step. Every slot has been through the stage before, and none is ahead.
 */
export interface SliceRow {
  state: StateHandle
  stage: number
  /** Which of the state's 32 places in memory holds the frame. */
  slot: number
  /** Each slot's place in the window: a permutation of 0 to 31. */
  places: Int32Array
  /** As in a step; stage 0 alone reads it, null for the others. */
  frame: Uint8Array | null
}

export interface StepResult {
  /** float32, height x width, as the network gives it. */
  depth: Float32Array
}

/** What an executor is asked to do; what it is and what a state takes are known beforehand. */
export type Operation = Exclude<keyof Executor, 'caps' | 'stateBytes' | 'onLoss'>

export interface ExecutorCaps {
  name: string
  /** For people: device and threads. */
  device: string
  /** Rows that one step may hold; 1 where batching gains nothing (CPU). */
  maxBatch: number
}

/**
 * Runs networks on a device and keeps their latent caches there. Executors decide nothing; one contract suite
 * (test/contract/executor.suite.ts) runs on all of them. Failures throw EXECUTOR_FAILED or MODEL_FILE_INVALID;
 * MEMORY_EXHAUSTED of a step leaves its states as they were: it may be tried again with fewer rows.
 */
export interface Executor {
  readonly caps: ExecutorCaps
  /** Build, load and warm up; a plan already loaded gives the same handle. */
  load(plan: Plan): Promise<ModelHandle>
  /** Release a model whose states are all freed. Unknown handles are ignored. */
  unload(model: ModelHandle): Promise<void>
  /** Bytes that one state of the plan takes on the device. A pure function of the plan. */
  stateBytes(plan: Plan): number
  newState(model: ModelHandle): Promise<StateHandle>
  /** One step of a mode other than vda-window. Rows are of the same model and of different states; results are in row order. */
  step(model: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]>
  /** One slice of a window; the depth of its frame from the last stage, null from the others. */
  slice(model: ModelHandle, row: SliceRow): Promise<StepResult | null>
  /** Bytes moved between host and device since the executor began; no cache is among them while streams go on. */
  transfers(): Promise<Transfers>
  /** The cache as bytes, for another executor of the same plan. */
  exportState(state: StateHandle): Promise<Uint8Array>
  importState(model: ModelHandle, bytes: Uint8Array): Promise<StateHandle>
  /** Unknown handles are ignored: freeing twice does no harm. */
  free(state: StateHandle): Promise<void>
  /** Twice without harm. */
  close(): Promise<void>
  /**
   * Calls the listener when every model and state is gone at once, because the process that held them died. Absent
   * where that cannot happen without taking this process along. The next `load` starts anew.
   */
  onLoss?(listener: (failure: LeadlineError) => void): void
}
