import { describe, expect, onTestFinished, test } from 'vitest'
import type { ExecutorAtHand } from './executor-at-hand.ts'

/** What every executor keeps that runs the streaming mode of Video Depth Anything. */
export function streamContract({ running, plan, run, newState }: ExecutorAtHand): void {
  describe('in mode vda-stream', () => {
    const streaming = () => plan({ mode: 'vda-stream' })

    async function stream(seeds: number[]): Promise<string[]> {
      const model = await running().load(streaming())
      return run(model, await newState(model), seeds)
    }

    test('the first frame still matters after 46 others', async () => {
      const rest = Array.from({ length: 45 }, (_, i) => 10 + i)
      const [one, otherFirst] = [await stream([1, 2, ...rest]), await stream([3, 2, ...rest])]
      expect(otherFirst.at(-1)).not.toEqual(one.at(-1))
    })

    test('two states interleaved give what they give alone', async () => {
      const alone = [await stream([1, 2, 3, 4]), await stream([11, 12, 13, 14])]
      const model = await running().load(streaming())
      const [a, b] = [await newState(model), await newState(model)]
      const interleaved: string[][] = [[], []]
      for (const i of [0, 1, 2, 3]) {
        interleaved[0]!.push(...(await run(model, a, [1 + i], i)))
        interleaved[1]!.push(...(await run(model, b, [11 + i], i)))
      }
      expect(interleaved).toEqual(alone)
    })

    test('an exported state goes on where it was', async () => {
      const model = await running().load(streaming())
      const state = await newState(model)
      await run(model, state, [1, 2])
      const bytes = await running().exportState(state)
      const copy = await running().importState(model, bytes)
      onTestFinished(() => running().free(copy))
      expect(Buffer.compare(await running().exportState(copy), bytes)).toBe(0)
      expect(await run(model, copy, [3], 2)).toEqual((await stream([1, 2, 3])).slice(2))
    })

    test('a state takes the bytes of 43 frames, whatever the cacheSize', () => {
      const [small, large] = [4, 16].map((cacheSize) => running().stateBytes({ ...streaming(), cacheSize }))
      expect(large).toBe(small)
      expect(small).toBe((43 / 4) * running().stateBytes(plan()))
    })
  })
}
