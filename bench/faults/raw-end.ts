import type { ErrorDefinition } from '../../src/errors.ts'
import { errorCodes, errorDefinition } from '../../src/errors.ts'

/** How a socket ended. */
export interface End {
  code: number
  reason: string
  byUs: boolean
}

/** Why a socket ended, by the code of the error that came before, or of the close. `end` is null where there was no socket. */
export function codeOf(end: End | null, failure: string | null): string {
  if (failure !== null) return failure
  if (end === null) return 'UNREACHABLE'
  const listed = errorCodes.find((code) => code === end.reason)
  return listed ?? `CLOSED_${end.code}`
}

/** Whether it says that there is nothing to come back to, of a socket that had the session or was refused it. */
export function isOver(code: string, hadSession: boolean): boolean {
  const known = errorCodes.find((one) => one === code)
  if (known === undefined) return false
  const { close, outlived }: ErrorDefinition = errorDefinition(known)
  if (hadSession) return outlived !== true
  return close !== null && close >= 4500
}
