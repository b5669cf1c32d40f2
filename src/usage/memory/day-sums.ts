import type { UsageAmounts, UsageEntry, UsageMeasure } from '../../metering/measures.ts'
import { byDay, withEvery } from '../usage-store.ts'
import type { UsageRow, UsageWish } from '../usage-store.ts'

/** What every key used on every day. No clock. */
export class DaySums {
  readonly #rows = new Map<string, UsageRow>()

  add({ day, owner, amounts }: Pick<UsageEntry, 'day' | 'owner' | 'amounts'>): void {
    const name = `${day} ${owner ?? ''}`
    const row = this.#rows.get(name) ?? { day, owner, amounts: withEvery({}) }
    this.#rows.set(name, row)
    for (const [measure, amount] of Object.entries(amounts satisfies UsageAmounts))
      row.amounts[measure as UsageMeasure] += amount
  }

  read({ from, to, of }: UsageWish): UsageRow[] {
    return this.rows
      .filter(({ day, owner }) => from <= day && day <= to && (of === undefined || of.owner === owner))
      .sort(byDay)
  }

  /** As they are now: what is added later does not show in them. */
  get rows(): UsageRow[] {
    return [...this.#rows.values()].map((row) => ({ ...row, amounts: { ...row.amounts } }))
  }

  forgetBefore(oldest: string): void {
    for (const [name, { day }] of this.#rows) if (day < oldest) this.#rows.delete(name)
  }
}
