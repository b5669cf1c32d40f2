import { expect } from 'vitest'

/** An assertion about what will be so, however slow the machine is. */
export function eventually<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: 90_000, interval: 10 })
}
