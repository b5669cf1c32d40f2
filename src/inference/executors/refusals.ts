import { LeadlineError } from '../../errors.ts'
import type { Plan } from '../executor.ts'

/** What every executor of a network refuses, in the same words. */
export function failed(detail: string): LeadlineError {
  return new LeadlineError('EXECUTOR_FAILED', detail)
}

/** Throws EXECUTOR_FAILED for a frame, or for none, that is not RGB of the plan's size. */
export function checkFrame(
  { width, height }: Pick<Plan, 'width' | 'height'>,
  frame: Uint8Array | null
): void {
  const expected = width * height * 3
  const length = frame?.length ?? 0
  if (length !== expected) throw failed(`A frame of ${width}x${height} has ${expected} bytes, not ${length}`)
}

/** Throws EXECUTOR_FAILED for bytes that cannot be a state of the plan, which has `expected` of them. */
export function checkStateBytes(what: 'latent cache' | 'window', bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected)
    throw failed(
      `A ${what} of this plan has ${expected} bytes, not ${bytes.length}; was it exported from another?`
    )
}
