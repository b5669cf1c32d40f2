import { move, transferableSymbol, valueSymbol, workerData } from 'piscina'
import { asLeadlineError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'
import type { Executor, Operation } from '../../executor.ts'
import { OrtNodeExecutor } from './ort-node.ts'
import type { OrtNodeOptions } from './ort-node.ts'

/** The program of one thread of ort-threads.ts: an executor for one network. What it is asked, besides what its executor says of itself. */
export type ThreadCall =
  { operation: 'caps' } | { [O in Operation]: { operation: O; args: Parameters<Executor[O]> } }[Operation]

/** Errors would lose their class on the way. */
export type ThreadAnswer = { value: unknown } | { code: ErrorCode; detail: string }

const executor: Executor = new OrtNodeExecutor(workerData as OrtNodeOptions)

export default async function answer(call: ThreadCall): Promise<unknown> {
  try {
    if (call.operation === 'caps') return { value: executor.caps }
    const perform = executor[call.operation] as (...args: unknown[]) => Promise<unknown>
    return moved(await perform.apply(executor, call.args))
  } catch (error) {
    const { code, message, cause } = asLeadlineError(error)
    if (code === 'INTERNAL') process.stderr.write(`${cause instanceof Error ? cause.stack : String(cause)}\n`)
    return { code, detail: message } satisfies ThreadAnswer
  }
}

/** Depth and latents are moved. Memory of ONNX Runtime cannot be, and is copied before. */
function moved(value: unknown): unknown {
  const large: ArrayBufferLike[] = []
  const own = <A extends Float32Array | Uint8Array>(array: A): A => {
    const copy = array.slice() as A
    large.push(copy.buffer)
    return copy
  }
  const ownResult = (result: unknown): unknown =>
    isResult(result) ? { depth: own(result.depth) } : result instanceof Uint8Array ? own(result) : result
  const answer: ThreadAnswer = { value: Array.isArray(value) ? value.map(ownResult) : ownResult(value) }
  return move({ [transferableSymbol]: large, [valueSymbol]: answer } as unknown as ArrayBuffer)
}

function isResult(value: unknown): value is { depth: Float32Array } {
  return typeof value === 'object' && value !== null && 'depth' in value
}
