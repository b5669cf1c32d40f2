import { keptDays } from '../usage-store.ts'

/** Every key in Redis that usage has, with its type and life. */
export class UsageKeys {
  readonly #base: string

  constructor(prefix: string) {
    this.#base = `{${prefix}}:usage`
  }

  /** hash, what each key used on a day, by `fieldOf`; TTL `dayTtlMs` since the last of it. Written by workers and gateways. */
  day(day: string): string {
    return `${this.#base}:day:${day}`
  }

  /** string, how far what has this name was counted; TTL as its mark says. Written by workers and gateways. */
  mark(name: string): string {
    return `${this.#base}:mark:${name}`
  }
}

export const dayTtlMs = keptDays * 86_400_000

export function fieldOf(measure: string, owner: string | null): string {
  return `${measure}:${owner ?? ''}`
}
