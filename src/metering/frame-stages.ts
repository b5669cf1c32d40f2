/**
 * When a frame was where in its worker, in milliseconds of `performance.now()`. What a frame waits between two stages is
 * neither's: `queue` is what it waits for its step, whether decoded or not.
 */
export interface FrameStages {
  /** It came to the engine. */
  cameMs: number
  decodeBeganMs: number
  decodeEndedMs: number
  stepBeganMs: number
  stepEndedMs: number
  encodeBeganMs: number
  encodeEndedMs: number
  /** Of its trace, as W3C's Trace Context has it; null: it has none. */
  traceparent: string | null
}

/** Told of every frame that got a depth map. */
export interface FrameMeter {
  framed(frame: { sessionId: string; seq: number; stages: FrameStages }): void
}

/** Of a frame that comes just now. */
export function startOfStages(cameMs: number, traceparent: string | null): FrameStages {
  const [decodeBeganMs, decodeEndedMs] = [cameMs, cameMs]
  const later = { decodeBeganMs, decodeEndedMs, stepBeganMs: cameMs, stepEndedMs: cameMs }
  return { cameMs, ...later, encodeBeganMs: cameMs, encodeEndedMs: cameMs, traceparent }
}

export const workerStages = ['queue', 'decode', 'step', 'encode'] as const
export type WorkerStage = (typeof workerStages)[number]

export function stageTimesMs(stages: FrameStages): Record<WorkerStage, number> {
  const { cameMs, decodeBeganMs, decodeEndedMs, stepBeganMs, stepEndedMs } = stages
  const decode = decodeEndedMs - decodeBeganMs
  return {
    queue: stepBeganMs - cameMs - decode,
    decode,
    step: stepEndedMs - stepBeganMs,
    encode: stages.encodeEndedMs - stages.encodeBeganMs
  }
}
