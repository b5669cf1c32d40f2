import type { ErrorCode } from '../errors.ts'

/**
 * Failures whose own text may name hosts, files and scripts: it is for the operator, and clients are told this. Not in the
 * registry, which clients carry along.
 */
export const publicDetails: Partial<Record<ErrorCode, string>> = {
  MODEL_FILE_INVALID: 'The files of the model on the server are damaged; its log names them',
  EXECUTOR_FAILED: 'The network failed on the server, whose log has the cause; try again',
  MEMORY_EXHAUSTED: 'The device of the server is out of memory; try again, or a smaller window or frame',
  STORE_UNAVAILABLE: 'The servers cannot reach their store; try again'
}
