import { describe, expect, onTestFinished, test } from 'vitest'
import { windowStages } from '../../src/inference/latents/window-values.ts'
import { fingerprint } from '../inference/fake-engine.ts'
import { noise } from '../inference/frames.ts'
import { largestDifference } from '../inference/graph/step-runner.ts'
import type { ExecutorAtHand } from './executor-at-hand.ts'

/** What every executor keeps that runs offline windows, slice by slice. */
export function windowContract({ running, plan, run, newState }: ExecutorAtHand): void {
  describe('in mode vda-window', () => {
    const frameOf = (seed: number) => noise(seed, plan())
    const windowed = () => plan({ mode: 'vda-window' })
    const inOrder = Int32Array.from({ length: 32 }, (_, place) => place)
    const seeds = Array.from({ length: 32 }, (_, i) => 1 + i)

    /** Depth by place of a window whose frame of place p lies in the slot that has place p. */
    async function depthsOf(model: number, state: number, seeds: number[], places = inOrder) {
      const maps: Float32Array[] = []
      for (let stage = 0; stage < windowStages; stage++)
        for (const [slot, place] of places.entries()) {
          const frame = stage === 0 ? frameOf(seeds[place]!) : null
          const result = await running().slice(model, { state, stage, slot, places, frame })
          expect(result === null).toBe(stage < windowStages - 1)
          if (result) maps[place] = result.depth
        }
      return maps
    }

    const runWindow = async (...args: Parameters<typeof depthsOf>) =>
      (await depthsOf(...args)).map(fingerprint)

    test('a frame sees those before it and those after it', async () => {
      const model = await running().load(windowed())
      const state = await newState(model)
      const maps = await runWindow(model, state, seeds)
      expect(new Set(maps).size).toBe(32)
      const others = await runWindow(model, state, [...seeds.slice(0, 31), 99])
      expect(maps.filter((map, place) => map === others[place])).toEqual([])
      expect(await runWindow(model, state, seeds)).toEqual(maps)
    })

    test('it matters which place a frame has, and not in which slot it lies', async () => {
      const model = await running().load(windowed())
      const state = await newState(model)
      const maps = await depthsOf(model, state, seeds)
      const rotated = await depthsOf(
        model,
        state,
        seeds,
        inOrder.map((place) => (place + 10) % 32)
      )
      const reversed = await depthsOf(model, state, seeds.toReversed())
      // Sums in another order are equal to rounding only.
      const differences = maps.map((map, place) => largestDifference(map, rotated[place]!))
      expect(Math.max(...differences)).toBeLessThan(1e-4)
      expect(largestDifference(maps[0]!, reversed[31]!)).toBeGreaterThan(1e-3)
    })

    test('two windows interleaved slice by slice give what they give alone', async () => {
      const model = await running().load(windowed())
      const [a, b] = [await newState(model), await newState(model)]
      const other = seeds.map((seed) => 100 + seed)
      const alone = [await runWindow(model, a, seeds), await runWindow(model, a, other)]
      const maps: string[][] = [[], []]
      for (let stage = 0; stage < windowStages; stage++)
        for (let slot = 0; slot < 32; slot++)
          for (const [which, state] of [a, b].entries()) {
            const frame = stage === 0 ? frameOf((which === 0 ? seeds : other)[slot]!) : null
            const result = await running().slice(model, { state, stage, slot, places: inOrder, frame })
            if (result) maps[which]!.push(fingerprint(result.depth))
          }
      expect(maps).toEqual(alone)
    })

    test('a window exported between two stages goes on where it was', async () => {
      const model = await running().load(windowed())
      const state = await newState(model)
      const maps = await runWindow(model, state, seeds)
      const row = { slot: 5, places: inOrder, frame: null }
      const copy = await running().importState(model, await running().exportState(state))
      onTestFinished(() => running().free(copy))
      const last = { ...row, state: copy, stage: windowStages - 1 }
      expect(fingerprint((await running().slice(model, last))!.depth)).toBe(maps[5])
    })

    test('it runs slice by slice alone, and other modes do not', async () => {
      const [model, ordinary] = [await running().load(windowed()), await running().load(plan())]
      const [state, other] = [await newState(model), await newState(ordinary)]
      const row = { stage: 0, slot: 0, places: inOrder, frame: frameOf(1) }
      const refusal = { code: 'EXECUTOR_FAILED' }
      await expect(run(model, state, [1])).rejects.toMatchObject(refusal)
      await expect(running().slice(ordinary, { ...row, state: other })).rejects.toMatchObject(refusal)
      await expect(running().slice(model, { ...row, state: other })).rejects.toMatchObject(refusal)
      const short = { ...row, state, frame: frameOf(1).subarray(3) }
      await expect(running().slice(model, short)).rejects.toMatchObject(refusal)
      await expect(running().slice(model, { ...row, state, frame: null })).rejects.toMatchObject(refusal)
    })
  })
}
