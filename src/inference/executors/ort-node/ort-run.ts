import { InferenceSession, Tensor } from 'onnxruntime-node'
import { LeadlineError } from '../../../errors.ts'
import { windowInputNames } from '../../graph/window-inputs.ts'
import type { WindowFeed } from '../../latents/window.ts'
import { isOutOfMemory } from '../out-of-memory.ts'

/** Loads a model for the CPU. Throws EXECUTOR_FAILED or MEMORY_EXHAUSTED. */
export function loadGraph(graph: Uint8Array, threads: number): Promise<InferenceSession> {
  return native('load the network', InferenceSession.create(graph, sessionOptions(threads)))
}

function sessionOptions(threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: {
      session: {
        // Threads that wait for work must not burn the cores that decode video.
        intra_op: { allow_spinning: '0' },
        // Softmax gives hidden slots weights of 4e-39, and processors are slow at numbers below 1e-38; as 0 they are
        // exact and fast (softmax of ViT-S at 252x448: 12.6 → 2.7 ms).
        set_denormal_as_zero: '1'
      }
    }
  }
}

/** What the graph is told about a ring, batch 1. */
export function windowTensors({
  positions,
  mask,
  queryPosition,
  writeSlot
}: Omit<WindowFeed, 'fillsRing'>): Record<string, Tensor> {
  return {
    [windowInputNames.positions]: new Tensor('int64', BigInt64Array.from(positions, BigInt), [
      1,
      positions.length
    ]),
    [windowInputNames.mask]: new Tensor('float32', mask, [1, mask.length]),
    [windowInputNames.queryPosition]: new Tensor('int64', BigInt64Array.of(BigInt(queryPosition)), [1]),
    [windowInputNames.written]: new Tensor('float32', oneHot(writeSlot, mask.length), [1, mask.length])
  }
}

function oneHot(index: number, length: number): Float32Array {
  return new Float32Array(length).fill(1, index, index + 1)
}

/** What ONNX Runtime throws becomes EXECUTOR_FAILED, or MEMORY_EXHAUSTED. */
export async function native<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const code = isOutOfMemory(reason) ? 'MEMORY_EXHAUSTED' : 'EXECUTOR_FAILED'
    throw new LeadlineError(code, `ONNX Runtime could not ${what}: ${reason}`, { cause })
  }
}
