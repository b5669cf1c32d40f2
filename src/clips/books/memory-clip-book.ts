import type { Clip } from '../clip.ts'
import type { Claim, ClipBook, ClipListWish, ClipPage, ClipRow, Standing } from './clip-book.ts'
import { hasEnded, placeOf } from './clip-book.ts'

interface Entry {
  row: ClipRow
  run: string | null
  heldUntilMs: number
}

/** The book of one process. */
export class MemoryClipBook implements ClipBook {
  readonly #entries = new Map<string, Entry>()
  #isKnown = false

  async put(row: ClipRow): Promise<boolean> {
    if (this.#entries.has(row.clip.id)) return false
    this.#entries.set(row.clip.id, { row, run: null, heldUntilMs: -Infinity })
    return true
  }

  async get(id: string): Promise<ClipRow | null> {
    return this.#entries.get(id)?.row ?? null
  }

  async list({ owner, states, limit, cursor }: ClipListWish): Promise<ClipPage> {
    const rows = [...this.#entries.values()]
      .map(({ row }) => row)
      .filter((row) => owner === null || row.owner === owner)
      .filter(({ clip }) => states.length === 0 || states.includes(clip.state))
      .filter(({ clip }) => cursor === null || placeOf(clip) < cursor)
      .sort((a, b) => (placeOf(a.clip) < placeOf(b.clip) ? 1 : -1))
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    return { rows: page, cursor: rows.length > limit && last ? placeOf(last.clip) : null }
  }

  async claim(id: string, run: string, holdMs: number): Promise<Claim> {
    const entry = this.#entries.get(id)
    if (!entry || hasEnded(entry.row.clip)) return { kind: 'over', row: entry?.row ?? null }
    const nowMs = performance.now()
    if (entry.run !== run && entry.heldUntilMs > nowMs) return { kind: 'held' }
    entry.run = run
    entry.heldUntilMs = nowMs + holdMs
    this.#change(entry, { state: 'running' })
    return { kind: 'taken', row: entry.row }
  }

  async keep(
    id: string,
    run: string,
    { frames, holdMs }: { frames: number; holdMs: number }
  ): Promise<Standing> {
    const entry = this.#entries.get(id)
    if (!entry) return 'unknown'
    if (entry.run !== run) return 'lost'
    entry.heldUntilMs = performance.now() + holdMs
    this.#change(entry, { progress: { ...entry.row.clip.progress, frames } })
    return 'kept'
  }

  async settle(id: string, run: string, clip: Clip): Promise<Standing> {
    const entry = this.#entries.get(id)
    if (!entry) return 'unknown'
    if (entry.run !== run) return 'lost'
    this.#change(entry, clip)
    return 'kept'
  }

  async cancel(id: string, endedAt: string): Promise<ClipRow | null> {
    const entry = this.#entries.get(id)
    if (!entry || hasEnded(entry.row.clip)) return null
    entry.run = null
    this.#change(entry, { state: 'cancelled', endedAt })
    return entry.row
  }

  async remove(id: string): Promise<void> {
    this.#entries.delete(id)
  }

  async isKnown(): Promise<boolean> {
    return this.#isKnown
  }

  async know(): Promise<void> {
    this.#isKnown = true
  }

  async close(): Promise<void> {}

  #change(entry: Entry, fields: Partial<Clip>): void {
    entry.row = { ...entry.row, clip: { ...entry.row.clip, ...fields } }
  }
}
