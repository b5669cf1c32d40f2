import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairShare } from '../../../src/inference/fairness/fair-share.ts'

interface Session {
  tenant: string
  waitingSince: number
  expectedCost: number
  /** What one turn of it takes. */
  cost: number
}

/** Every session always has something to be served; what each tenant had after each turn. */
function serve(shares: FairShare, sessions: Session[], turns: number): Map<string, number>[] {
  const had = new Map(sessions.map(({ tenant }) => [tenant, 0]))
  let turn = Math.max(...sessions.map(({ waitingSince }) => waitingSince))
  return Array.from({ length: turns }, () => {
    const [next] = shares.order(sessions) as [Session]
    shares.serve(next.tenant)
    shares.charge(next.tenant, next.cost)
    next.waitingSince = ++turn
    had.set(next.tenant, had.get(next.tenant)! + next.cost)
    return new Map(had)
  })
}

const cost = fc.integer({ min: 1, max: 50 })
const session = (tenant: string) =>
  fc.record({ tenant: fc.constant(tenant), waitingSince: fc.nat(9), expectedCost: fc.constant(0), cost })
const busy = fc
  .array(fc.array(cost, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 5 })
  .chain((tenants) =>
    fc.tuple(...tenants.flatMap((costs, i) => costs.map(() => session(`key ${i}`))))
  ) as fc.Arbitrary<Session[]>

test('however many sessions a busy key has and whatever they take, no key gets more than its share by more than one turn', () => {
  fc.assert(
    fc.property(busy, (sessions) => {
      const most = Math.max(...sessions.map((each) => each.cost))
      for (const had of serve(new FairShare(), sessions, 200))
        expect(Math.max(...had.values()) - Math.min(...had.values())).toBeLessThanOrEqual(most)
    })
  )
})

test('nobody starves: between two turns of a busy session every other one of its key has one, and every key some', () => {
  fc.assert(
    fc.property(busy, (sessions) => {
      const shares = new FairShare()
      serve(shares, sessions, 400)
      const numOf = (tenant: string) => sessions.filter((each) => each.tenant === tenant).length
      // Before its turn every other key has at most what its own turns before it took, and one more.
      const [most, least] = [Math.max, Math.min].map((of) => of(...sessions.map((each) => each.cost)))
      for (const { tenant, waitingSince } of sessions) {
        const between = (numOf(tenant) * most!) / least! + 1
        const tenants = new Set(sessions.map((each) => each.tenant)).size
        const last = Math.max(...sessions.map((each) => each.waitingSince))
        expect(last - waitingSince).toBeLessThanOrEqual(tenants * (between + 1))
      }
    })
  )
})

test('a key that is alone gets everything, its sessions by turns', () => {
  const sessions = [3, 1, 2].map((waitingSince) => ({ ...of('key'), waitingSince }))
  const order = new FairShare().order(sessions)
  expect(order.map(({ waitingSince }) => waitingSince)).toEqual([1, 2, 3])
})

test('who was away is owed nothing, and comes before who had more meanwhile', () => {
  const shares = new FairShare()
  serve(shares, [of('busy')], 100)
  const [first, ...later] = serve(shares, [of('busy'), of('back'), of('back')], 20)
  expect(first!.get('back')).toBe(1)
  expect(later.at(-1)!.get('back')! - later.at(-1)!.get('busy')!).toBeLessThanOrEqual(2)
})

test('of a batch each tenant has what its rows before are thought to take', () => {
  const rows = [of('a', 0), of('a', 1), of('b', 2), of('b', 3)].map((row) => ({ ...row, expectedCost: 5 }))
  expect(new FairShare().order(rows).map(({ tenant }) => tenant)).toEqual(['a', 'b', 'a', 'b'])
})

test('tenants that have gone are forgotten', () => {
  const shares = new FairShare()
  for (let i = 0; i < 1000; i++) serve(shares, [of(`key ${i}`)], 3)
  expect(shares.size).toBeLessThanOrEqual(1)
})

function of(tenant: string, waitingSince = 0): Session {
  return { tenant, waitingSince, expectedCost: 0, cost: 1 }
}
