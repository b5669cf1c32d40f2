/** The vocabulary of what is counted, which rooms that make it and the one that keeps it share. It holds no behaviour. */

/** What is counted of a key's day, in whole numbers: docs/usage.md says when. */
export const usageMeasures = [
  ...(['frames', 'pixels', 'deviceUs', 'sessionMs'] as const),
  ...(['clipFrames', 'bytesIn', 'bytesOut'] as const)
] as const
export type UsageMeasure = (typeof usageMeasures)[number]
export type UsageAmounts = Partial<Record<UsageMeasure, number>>

/** For whom a session counts. */
export interface Account {
  /** The id of a key; null: nobody was asked for one. */
  owner: string | null
  /** It runs a clip, whose frames count when that ends. */
  isClip: boolean
  /** Where it was asked for by whoever showed no key, as one address counts; absent: not known. */
  address?: string
}

/** Who shares a worker with others: all sessions of a key, or where none is asked for of an address, are one. */
export type Tenant = string

export function tenantOf({ owner, address = '' }: Account): Tenant {
  return owner ?? address
}

/** What its frames are to whoever sends them: those of a live session are looked at as they come, a clip's when all are there. */
export type ServiceClass = 'live' | 'clip'

export function serviceOf({ isClip }: Account): ServiceClass {
  return isClip ? 'clip' : 'live'
}

/** What one frame took. */
export interface FrameCost {
  /** Of the picture that came. */
  pixels: number
  /** Its share of the steps that it was in. */
  deviceUs: number
}

export interface UsageEntry {
  owner: string | null
  /** Of UTC, as `dayOf` gives it. */
  day: string
  amounts: UsageAmounts
  mark: UsageMark
}

/** Of entries with the same name, one is left out whose number is not above those before: it was counted already. */
export interface UsageMark {
  name: string
  number: number
  /** For how long after the last one. */
  keptMs: number
}

export interface Meter {
  /**
   * Count this, once. Whatever the caller sends after this has returned, others do not see before it is counted: who is told of
   * a frame may rely on it. Resolves when it is kept, with whether it is new; rejects with STORE_UNAVAILABLE where it is
   * tried no longer.
   */
  count(entry: UsageEntry): Promise<boolean>
}

const dayMs = 86_400_000
/** The day that was asked for last: frame after frame asks for the same. */
let lastDay = { number: NaN, name: '' }

/** The day of UTC, as `2026-01-31`. */
export function dayOf(ms: number): string {
  const number = Math.floor(ms / dayMs)
  if (number !== lastDay.number) lastDay = { number, name: new Date(ms).toISOString().slice(0, 10) }
  return lastDay.name
}
