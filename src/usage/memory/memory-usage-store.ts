import type { UsageEntry } from '../../metering/measures.ts'
import type { UsageRow, UsageStore, UsageWish } from '../usage-store.ts'
import { DaySums } from './day-sums.ts'
import { Marks } from './marks.ts'

/** Of a server that is never the same again, for as long as it runs. */
export class MemoryUsageStore implements UsageStore {
  readonly #sums = new DaySums()
  readonly #marks = new Marks()

  async count(entry: UsageEntry): Promise<boolean> {
    const isNew = this.#marks.set(entry.mark, Date.now())
    if (isNew) this.#sums.add(entry)
    return isNew
  }

  async read(wish: UsageWish): Promise<UsageRow[]> {
    return this.#sums.read(wish)
  }

  async close(): Promise<void> {}
}
