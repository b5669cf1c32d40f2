import { describe, expect, onTestFinished, test } from 'vitest'
import type { Mode } from '../../src/session.ts'
import type { ExecutorAtHand } from './executor-at-hand.ts'

/** What every executor keeps of the position that a step has in its video, in a mode that steps. */
export function positionContract({ running, plan, run, newState }: ExecutorAtHand, mode: Mode): void {
  describe(`in mode ${mode}`, () => {
    const load = () => running().load(plan({ mode }))

    async function runAlone(seeds: number[]): Promise<string[]> {
      const model = await load()
      return run(model, await newState(model), seeds)
    }

    test('position 0 forgets: a used state gives what a new one gives', async () => {
      const model = await load()
      const state = await newState(model)
      await run(model, state, [7, 8, 9, 10, 11])
      expect(await run(model, state, [1, 2, 3])).toEqual(await runAlone([1, 2, 3]))
    })

    test('position 0 forgets also what is no number', async () => {
      const model = await load()
      const nothing = (await running().exportState(await newState(model))).fill(0xff)
      const state = await running().importState(model, nothing)
      onTestFinished(() => running().free(state))
      expect(await run(model, state, [1, 2])).toEqual(await runAlone([1, 2]))
    })

    test('a new video in a used state moves no byte of a cache', async () => {
      const model = await load()
      const state = await newState(model)
      await run(model, state, [1, 2])
      const before = await running().transfers()
      await run(model, state, [3, 4])
      const after = await running().transfers()
      for (const direction of ['toDevice', 'toHost'] as const)
        expect(after[direction].cache).toBe(before[direction].cache)
    })

    test('a step at the position of the one before it finds no trace of that', async () => {
      const model = await load()
      const seeds = [1, 2, 3, 4, 5, 6]
      const expected = await run(model, await newState(model), seeds)
      const state = await newState(model)
      const maps: string[] = []
      for (const [position, seed] of seeds.entries()) {
        await run(model, state, [50 + position], position)
        await run(model, state, [60 + position], position)
        maps.push(...(await run(model, state, [seed], position)))
      }
      expect(maps).toEqual(expected)
    })
  })
}
