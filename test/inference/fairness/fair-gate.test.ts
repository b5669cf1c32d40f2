import { expect, test } from 'vitest'
import { Deferred } from '../../../src/deferred.ts'
import { FairGate } from '../../../src/inference/fairness/fair-gate.ts'

/** Work that ends when it is told to, in the order in which it began. */
function workshop(max: number) {
  const gate = new FairGate(max)
  const begun: string[] = []
  const ends = new Map<string, Deferred<void>>()
  const ask = (tenant: string, session: string, name = session) => {
    const end = new Deferred<void>()
    ends.set(name, end)
    return gate.run({ tenant, session }, async () => {
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

test('no more are inside than may be, and work that fails leaves its place', async () => {
  const { ask, begun, end, gate } = workshop(2)
  const failing = gate.run({ tenant: 'a', session: 'a0' }, () => Promise.reject(new Error('broken')))
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
