import { describe, expect, test } from 'vitest'
import type { Meter } from '../../src/metering/measures.ts'
import type { UsageStore } from '../../src/usage/index.ts'
import { keptDays } from '../../src/usage/index.ts'
import { always, entryOf, usageKey } from '../helpers/usage-entry.ts'

/** What counts and what is read from; one thing, where there is no other way. Closed by whoever makes them. */
export type MakeUsage = () => Promise<{ meter: Meter; store: Pick<UsageStore, 'read'> }>

const zero = { frames: 0, pixels: 0, deviceUs: 0, sessionMs: 0, clipFrames: 0, bytesIn: 0, bytesOut: 0 }
/** What every place for usage does. */
export function usageStoreSuite(name: string, makeUsage: MakeUsage): void {
  describe(`usage in ${name}`, () => {
    test('is summed up by key and day, and read oldest first', async () => {
      const { meter, store } = await makeUsage()
      expect(await store.read(always)).toEqual([])
      const marked = (i: number) => ({ mark: { name: `session:${i}`, number: 0, keptMs: 60_000 } })
      const entries = [
        { day: '2026-03-02', ...marked(0) },
        { amounts: { frames: 1, pixels: 2 ** 40, deviceUs: 7 }, ...marked(1) },
        { amounts: { bytesIn: 5, bytesOut: 6, clipFrames: 8, sessionMs: 9 }, ...marked(2) },
        { owner: null, ...marked(3) },
        { day: '2025-12-31', ...marked(4) }
      ]
      await Promise.all(entries.map((entry) => meter.count(entryOf(entry))))
      const own = {
        ...{ day: '2026-03-01', owner: usageKey },
        amounts: {
          frames: 1,
          pixels: 2 ** 40,
          deviceUs: 7,
          sessionMs: 9,
          clipFrames: 8,
          bytesIn: 5,
          bytesOut: 6
        }
      }
      const [later, nobodys] = [
        { day: '2026-03-02', owner: usageKey, amounts: { ...zero, frames: 1 } },
        { day: '2026-03-01', owner: null, amounts: { ...zero, frames: 1 } }
      ]
      expect(await store.read(always)).toEqual([nobodys, own, later])
      expect(await store.read({ ...always, of: { owner: usageKey } })).toEqual([own, later])
      expect(await store.read({ ...always, of: { owner: null } })).toEqual([nobodys])
      expect(await store.read({ from: '2026-03-02', to: '2026-03-02' })).toEqual([later])
      expect(await store.read({ ...always, of: { owner: 'ffffffffffffffff' } })).toEqual([])
    })

    test('counts what has a mark once, whoever comes with it again', async () => {
      const { meter, store } = await makeUsage()
      const frames = async () => (await store.read(always)).map(({ amounts }) => amounts.frames)
      expect(await meter.count(entryOf({}, 4))).toBe(true)
      expect(await meter.count(entryOf({}, 4))).toBe(false)
      expect(await meter.count(entryOf({ owner: null, day: '2026-03-02' }, 3))).toBe(false)
      expect(await frames()).toEqual([1])
      expect(await meter.count(entryOf({}, 7))).toBe(true)
      const other = { name: 'session:b', number: 4, keptMs: 60_000 }
      expect(await meter.count(entryOf({ mark: other }))).toBe(true)
      expect(await frames()).toEqual([3])
    })

    test('counts everything that is told at once, and each once', async () => {
      const { meter, store } = await makeUsage()
      const numbers = Array.from({ length: 200 }, (_, i) => Math.floor(i / 2))
      const answers = await Promise.all(numbers.map((number) => meter.count(entryOf({}, number))))
      expect(answers.filter(Boolean)).toHaveLength(100)
      expect((await store.read(always))[0]?.amounts.frames).toBe(100)
    })

    test('can be read over all the days that are kept', async () => {
      const { meter, store } = await makeUsage()
      await meter.count(entryOf())
      const from = new Date(Date.parse('2026-03-01') - (keptDays - 1) * 86_400_000).toISOString().slice(0, 10)
      expect(await store.read({ from, to: '2026-03-01' })).toHaveLength(1)
    })
  })
}
