import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Executor, Plan } from '../../src/inference/executor.ts'
import { sizeMultiple } from '../../src/inference/weights/architecture-rules.ts'
import { modes } from '../../src/session.ts'
import type { Mode } from '../../src/session.ts'
import { fingerprint } from '../inference/fake-engine.ts'
import { noise } from '../inference/frames.ts'
import { positionContract } from './executor-position.suite.ts'
import { streamContract } from './executor-stream.suite.ts'
import { windowContract } from './executor-window.suite.ts'

export interface ExecutorSubject {
  name: string
  create(): Promise<Executor>
  /** A plan of 3x2 times what its sides are multiples of, in mode ovda with a window of 4. */
  plan(): Plan
  /** What it runs. @default every mode */
  modes?: readonly Mode[]
}

/** What every executor keeps, whatever it runs on. */
export function executorContract(subject: ExecutorSubject): void {
  describe(`executor: ${subject.name}`, () => {
    let executor: Executor
    const runs = (mode: Mode) => (subject.modes ?? modes).includes(mode)
    const plan = (overrides: Partial<Plan> = {}): Plan => ({ ...subject.plan(), ...overrides })
    const multiple = sizeMultiple(plan().architecture)
    const numPixels = plan().width * plan().height
    const frameOf = (seed: number, { width, height } = plan()) => noise(seed, { width, height })

    beforeAll(async () => {
      executor = await subject.create()
    })
    afterAll(() => executor.close())

    /** Depth of each seed's frame, one step a frame, through one state; as fingerprints. */
    async function run(model: number, state: number, seeds: number[], firstPosition = 0): Promise<string[]> {
      const maps: string[] = []
      for (const [i, seed] of seeds.entries()) {
        const row = { state, framesSeen: firstPosition + i, frame: frameOf(seed) }
        const [result] = await executor.step(model, [row])
        maps.push(fingerprint(result!.depth))
      }
      return maps
    }

    async function newState(model: number): Promise<number> {
      const state = await executor.newState(model)
      onTestFinished(() => executor.free(state))
      return state
    }

    async function runAlone(seeds: number[]): Promise<string[]> {
      const model = await executor.load(plan())
      return run(model, await newState(model), seeds)
    }

    test('a plan loaded twice gives the same handle, another plan another one', async () => {
      const handle = await executor.load(plan())
      expect(await executor.load({ ...plan() })).toBe(handle)
      expect(await executor.load(plan({ cacheSize: 8 }))).not.toBe(handle)
    })

    test('depth has the size of the plan and is finite', async () => {
      const model = await executor.load(plan())
      const row = { state: await newState(model), framesSeen: 0, frame: frameOf(1) }
      const [result] = await executor.step(model, [row])
      expect(result!.depth).toBeInstanceOf(Float32Array)
      expect(result!.depth.length).toBe(numPixels)
      expect(result!.depth.every(Number.isFinite)).toBe(true)
    })

    test('depth that is wanted somewhere is there, or in memory of its own', async () => {
      const model = await executor.load(plan())
      const [expected] = await runAlone([1])
      const states = await Promise.all([newState(model), newState(model)])
      for (const state of states) {
        const into = new Float32Array(numPixels + 8).subarray(8)
        const row = { state, framesSeen: 0, frame: frameOf(1), into }
        const [result] = await executor.step(model, [row])
        expect(fingerprint(result!.depth)).toBe(expected)
        if (result!.depth === into) expect(fingerprint(into)).toBe(expected)
      }
    })

    test('the same frames give the same depth every time', async () => {
      expect(await runAlone([1, 2, 3])).toEqual(await runAlone([1, 2, 3]))
    })

    test('the past matters: another first frame changes the depth of the second', async () => {
      const [one, other] = [await runAlone([1, 2]), await runAlone([3, 2])]
      expect(one[1]).not.toEqual(other[1])
    })

    test('two states interleaved give what they give alone, past the end of the window', async () => {
      const [seedsA, seedsB] = [
        [1, 2, 3, 4, 5, 6],
        [11, 12, 13, 14, 15, 16]
      ]
      const alone = [await runAlone(seedsA), await runAlone(seedsB)]
      const model = await executor.load(plan())
      const [a, b] = [await newState(model), await newState(model)]
      const interleaved: string[][] = [[], []]
      for (const [i, seedA] of seedsA.entries()) {
        interleaved[0]!.push(...(await run(model, a, [seedA], i)))
        interleaved[1]!.push(...(await run(model, b, [seedsB[i]!], i)))
      }
      expect(interleaved).toEqual(alone)
    })

    test('rows of one step give what single steps give', async () => {
      const size = Math.min(3, executor.caps.maxBatch)
      const model = await executor.load(plan())
      const states = await Promise.all(Array.from({ length: size }, () => newState(model)))
      for (const framesSeen of [0, 1]) {
        const rows = states.map((state, i) => ({ state, framesSeen, frame: frameOf(10 * i + framesSeen) }))
        const results = await executor.step(model, rows)
        const single = await Promise.all(states.map((_, i) => runAlone([10 * i, 10 * i + 1])))
        expect(results.map(({ depth }) => fingerprint(depth))).toEqual(single.map((maps) => maps[framesSeen]))
      }
    })

    test('a new stream joins the batch of one that is far ahead, and each gives what it gives alone', async () => {
      if (executor.caps.maxBatch < 2) return
      const model = await executor.load(plan())
      const [ahead, behind] = [await newState(model), await newState(model)]
      const [seedsAhead, seedsBehind] = [
        [1, 2, 3, 4, 5, 6, 7, 8],
        [11, 12, 13]
      ]
      const alone = [(await runAlone(seedsAhead)).slice(5), await runAlone(seedsBehind)]
      await run(model, ahead, seedsAhead.slice(0, 5))
      const together: string[][] = [[], []]
      for (const [i, seed] of seedsBehind.entries()) {
        const results = await executor.step(model, [
          { state: ahead, framesSeen: 5 + i, frame: frameOf(seedsAhead[5 + i]!) },
          { state: behind, framesSeen: i, frame: frameOf(seed) }
        ])
        for (const [row, { depth }] of results.entries()) together[row]!.push(fingerprint(depth))
      }
      expect(together).toEqual(alone)
    })

    test('a stream that goes on moves frames in and depth out, and no byte of a cache', async () => {
      const model = await executor.load(plan())
      const state = await newState(model)
      await run(model, state, [1, 2])
      const before = await executor.transfers()
      await run(model, state, [3, 4, 5, 6, 7], 2)
      const after = await executor.transfers()
      expect(after.frames - before.frames).toBe(5)
      expect(after.toDevice.frame - before.toDevice.frame).toBe(5 * numPixels * 3)
      expect(after.toHost.depth - before.toHost.depth).toBe(5 * numPixels * 4)
      for (const direction of ['toDevice', 'toHost'] as const)
        expect(after[direction].cache).toBe(before[direction].cache)
    })

    test('a stream goes on while another model loads, and gives what it gives alone', async () => {
      const alone = await runAlone([1, 2, 3, 4, 5, 6])
      const model = await executor.load(plan())
      const state = await newState(model)
      const [first] = await run(model, state, [1])
      const loading = executor.load(plan({ width: 5 * multiple, cacheSize: 6 }))
      const rest = await run(model, state, [2, 3, 4, 5, 6], 1)
      expect([first, ...rest]).toEqual(alone)
      await newState(await loading)
    })

    test('an exported state goes on exactly where it was, and the original does too', async () => {
      const model = await executor.load(plan())
      const expected = (await runAlone([1, 2, 3, 4, 5, 6])).slice(3)
      const original = await newState(model)
      await run(model, original, [1, 2, 3])
      const bytes = await executor.exportState(original)
      const copy = await executor.importState(model, bytes)
      onTestFinished(() => executor.free(copy))
      expect(Buffer.compare(await executor.exportState(copy), bytes)).toBe(0)
      expect(await run(model, copy, [4, 5, 6], 3)).toEqual(expected)
      expect(await run(model, original, [4, 5, 6], 3)).toEqual(expected)
    })

    test('bytes that are no state of the plan are refused', async () => {
      const model = await executor.load(plan())
      await expect(executor.importState(model, new Uint8Array(7))).rejects.toMatchObject({
        code: 'EXECUTOR_FAILED'
      })
    })

    test('in mode single every frame stands alone', async () => {
      const single = plan({ mode: 'single' })
      const model = await executor.load(single)
      const state = await newState(model)
      const maps = await run(model, state, [1, 2, 1])
      expect(maps[2]).toEqual(maps[0])
      expect(maps[1]).not.toEqual(maps[0])
    })

    const atHand = { running: () => executor, plan, run, newState }
    for (const mode of modes) if (mode !== 'vda-window' && runs(mode)) positionContract(atHand, mode)
    if (runs('vda-stream')) streamContract(atHand)
    if (runs('vda-window')) windowContract(atHand)

    test('another size has its own model, and both go on', async () => {
      const large = plan({ width: 4 * multiple, height: 3 * multiple })
      const [model, largeModel] = [await executor.load(plan()), await executor.load(large)]
      const [state, largeState] = [await newState(model), await newState(largeModel)]
      const [first] = await run(model, state, [1])
      const row = { state: largeState, framesSeen: 0, frame: frameOf(1, large) }
      const [result] = await executor.step(largeModel, [row])
      expect(result!.depth.length).toBe(large.width * large.height)
      expect([first, ...(await run(model, state, [2], 1))]).toEqual(await runAlone([1, 2]))
    })

    test('what no step can hold is refused, and the state is as it was', async () => {
      const model = await executor.load(plan())
      const [state, other] = [
        await newState(model),
        await newState(await executor.load(plan({ cacheSize: 8 })))
      ]
      const [first] = await run(model, state, [1])
      const row = { state, framesSeen: 1, frame: frameOf(2) }
      const tooMany = await Promise.all(
        Array.from({ length: executor.caps.maxBatch + 1 }, () => newState(model))
      )
      const refused = [
        [],
        tooMany.map((one) => ({ ...row, state: one })),
        [row, row],
        [{ ...row, state: other }],
        [{ ...row, frame: frameOf(2).subarray(3) }]
      ]
      for (const rows of refused) {
        await expect(executor.step(model, rows)).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
      }
      expect([first, ...(await run(model, state, [2], 1))]).toEqual(await runAlone([1, 2]))
    })

    test('a state freed twice is gone once, and stepping it is refused', async () => {
      const model = await executor.load(plan())
      const [state, other] = [await executor.newState(model), await newState(model)]
      await executor.free(state)
      await executor.free(state)
      await expect(run(model, state, [1])).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
      await expect(executor.exportState(state)).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
      expect(await run(model, other, [1])).toEqual(await runAlone([1]))
    })

    test('a model that was unloaded has no states any more, and can be loaded again', async () => {
      const extra = plan({ cacheSize: 5 })
      const model = await executor.load(extra)
      await executor.unload(model)
      await executor.unload(model)
      await expect(executor.newState(model)).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
      await newState(await executor.load(extra))
    })

    test('a state takes bytes that grow with the size and the window', () => {
      const bytes = executor.stateBytes(plan())
      expect(bytes).toBeGreaterThan(0)
      expect(executor.stateBytes(plan({ width: 6 * multiple }))).toBeGreaterThan(bytes)
      expect(executor.stateBytes(plan({ cacheSize: 8 }))).toBe(2 * bytes)
    })

    test('a closed executor can be closed again and does nothing more', async () => {
      const own = await subject.create()
      onTestFinished(() => own.close())
      const model = await own.load(plan())
      await own.close()
      await own.close()
      await expect(own.newState(model)).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
      await expect(own.load(plan())).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
    })
  })
}
