import { expect, onTestFinished, test, vi } from 'vitest'
import { Deferred } from '../../../src/deferred.ts'
import { FairGate } from '../../../src/inference/fairness/fair-gate.ts'
import type { FairGateOptions } from '../../../src/inference/fairness/fair-gate.ts'
import { classShares } from '../../../src/inference/fairness/live-first.ts'
import type { ServiceClass } from '../../../src/metering/measures.ts'

/** Work that ends when it is told to, in the order in which it began. */
function workshop(max: number, options?: FairGateOptions) {
  const gate = new FairGate(max, options)
  const begun: string[] = []
  const ends = new Map<string, Deferred<void>>()
  const ask = (tenant: string, session: string, name = session, service: ServiceClass = 'live') => {
    const end = new Deferred<void>()
    ends.set(name, end)
    return gate.run({ tenant, session, service }, async () => {
      begun.push(name)
      await end.promise
    })
  }
  /** The work ends, and whoever comes next begins. */
  const end = async (name: string) => {
    ends.get(name)!.resolve()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { ask, begun, end, gate }
}

const asker = (session: string) => ({ tenant: 'a', session, service: 'live' as const })

test('no more are inside than may be, and work that fails leaves its place', async () => {
  const { ask, begun, end, gate } = workshop(2)
  const failing = gate.run(asker('a0'), () => Promise.reject(new Error('broken')))
  await expect(failing).rejects.toThrow('broken')
  for (const name of ['a1', 'a2', 'a3']) void ask('a', name)
  expect(begun).toEqual(['a1', 'a2'])
  await end('a2')
  expect(begun).toEqual(['a1', 'a2', 'a3'])
})

test('a key with many who wait lets the only one of another in after one of its own', async () => {
  const { ask, begun, end } = workshop(1)
  for (let i = 0; i < 20; i++) void ask('many', `m${i}`)
  void ask('one', 'only')
  await end('m0')
  expect(begun).toEqual(['m0', 'only'])
})

test('of one key a session that asks for much at once takes turns with the others', async () => {
  const { ask, begun, end } = workshop(1)
  for (let i = 0; i < 4; i++) void ask('key', 'greedy', `g${i}`)
  void ask('key', 'modest', 'm0')
  await end('g0')
  await end(begun.at(-1)!)
  await end(begun.at(-1)!)
  expect(begun.slice(0, 4)).toEqual(['g0', 'g1', 'm0', 'g2'])
})

test('a key has no more inside than each may, while there is room for others', async () => {
  const { ask, begun, end } = workshop(3, { maxEach: 1 })
  for (const name of ['m0', 'm1', 'm2']) void ask('many', name)
  void ask('one', 'o0')
  expect(begun).toEqual(['m0', 'o0'])
  await end('o0')
  expect(begun).toEqual(['m0', 'o0'])
  await end('m0')
  expect(begun).toEqual(['m0', 'o0', 'm1'])
})

test('who gives up waiting leaves the line, and nobody else does', async () => {
  const { begun, end, ask, gate } = workshop(1)
  void ask('a', 'a0')
  const leaving = new AbortController()
  const left = gate.run(asker('a1'), async () => begun.push('a1'), leaving.signal)
  void ask('a', 'a2')
  leaving.abort(new Error('left'))
  await expect(left).rejects.toThrow('left')
  await end('a0')
  expect(begun).toEqual(['a0', 'a2'])
  await end('a2')
  const late = gate.run(asker('a3'), async () => begun.push('a3'), leaving.signal)
  await expect(late).rejects.toThrow('left')
  expect(begun).toEqual(['a0', 'a2'])
})

test('time inside counts in the shares that are given, as far as it may', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const shares = classShares()
  const { ask, end } = workshop(1, { shares, mostMs: 2000 })
  const first = () =>
    shares.live.order(
      ['loads', 'steps'].map((tenant, waitingSince) => ({ tenant, waitingSince, expectedCost: 0 }))
    )[0]!.tenant
  shares.live.charge('steps', 500)
  expect(first()).toBe('loads')
  void ask('loads', 'long')
  vi.advanceTimersByTime(60_000)
  await end('long')
  expect(first()).toBe('steps')
  shares.live.charge('steps', 1600)
  expect(first()).toBe('loads')
})

test('live sessions come in before clips that have waited for longer', async () => {
  const { ask, begun, end } = workshop(1)
  void ask('a', 'a0')
  void ask('b', 'clip', 'clip', 'clip')
  for (const name of ['a1', 'a2']) void ask('a', name)
  for (const name of ['a0', 'a1', 'a2']) await end(name)
  expect(begun).toEqual(['a0', 'a1', 'a2', 'clip'])
})
