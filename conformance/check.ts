import { isDeepStrictEqual } from 'node:util'
import type { Bench } from './bench.ts'
import type { Binary } from './wire.ts'
import { apart } from './wire.ts'

/** One thing that a clause asks for, and a way to see it. */
export interface Check {
  clause: string
  /** What holds, as a sentence. */
  says: string
  /** Waits for as long as the server's own limits say, which may be minutes. */
  isSlow?: true
  /** Throws what is wrong, or `Skipped`. */
  try(bench: Bench): Promise<void>
}

/** The server does not do what the check is about, and need not. */
export class Skipped extends Error {}

export function skip(why: string): never {
  throw new Skipped(why)
}

export function holds(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(otherwise)
}

export function equal(found: unknown, wanted: unknown, what: string): void {
  holds(isDeepStrictEqual(found, wanted), `${what}: ${inShort(found)} instead of ${inShort(wanted)}`)
}

/** Two depth maps that are to be the same: bit for bit on a CPU, elsewhere but for rounding. */
export function sameDepth(found: Binary, wanted: Binary, what: string): void {
  const share = apart(wanted, found)
  holds(share <= 1e-3, `${what} is ${(share * 100).toFixed(2)} % of its extent away from what it is to be`)
}

function inShort(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
