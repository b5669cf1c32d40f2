import type { Keys } from './keys.ts'
import { restoredFields } from './session-hash.ts'
import { restoredState } from '../session-states.ts'
import type { SessionRow, StoreTimes } from '../session-store.ts'

/** What the scripts that write a row anew are given of it. */

export function restoredValues(row: SessionRow, keys: Keys, { rowTtlMs }: StoreTimes): (string | number)[] {
  const { id, deviceBytes, gatewayId, graceMs, workerInstance } = row
  return [
    ...[id, keys.workerBase(), rowTtlMs, workerInstance],
    ...[restoredState(row), deviceBytes, gatewayId ?? '', graceMs, ...restoredFields(row)]
  ]
}

export function lostValues(
  row: SessionRow,
  keys: Keys,
  { lostTtlMs, rowTtlMs }: StoreTimes
): (string | number)[] {
  const { id, gatewayId, graceMs, token } = row
  const life = [lostTtlMs, rowTtlMs, gatewayId ?? '', graceMs]
  return [token, id, keys.workerBase(), ...life, ...restoredFields(row)]
}
