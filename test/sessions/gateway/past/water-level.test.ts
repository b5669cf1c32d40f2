import fc from 'fast-check'
import { expect, test } from 'vitest'
import { waterLevel } from '../../../../src/sessions/gateway/past/water-level.ts'

test.each([
  ['enough for all', [10, 20, 30], 60, Infinity],
  ['the largest gives alone', [10, 20, 30], 50, 20],
  ['the two largest give alike', [10, 20, 30], 40, 15],
  ['nothing to give', [], 0, Infinity]
])('%s', (_, held, budgetBytes, level) => {
  const holdings = held.map((heldBytes) => ({ heldBytes, floorBytes: 0 }))
  expect(waterLevel(holdings, budgetBytes)).toBe(level)
})

test('who cannot give below its floor leaves the others less, and floors that are too much leave nothing', () => {
  const holdings = [
    { heldBytes: 30, floorBytes: 25 },
    { heldBytes: 30, floorBytes: 0 }
  ]
  expect(waterLevel(holdings, 40)).toBe(15)
  expect(waterLevel(holdings, 24)).toBe(0)
})

const holdings = fc.array(
  fc
    .tuple(fc.nat(1000), fc.nat(1000))
    .map(([floorBytes, more]) => ({ floorBytes, heldBytes: floorBytes + more })),
  { maxLength: 20 }
)

test('the budget is kept wherever the floors allow it, and as much of it is used as can be', () => {
  fc.assert(
    fc.property(holdings, fc.nat(20_000), (held, budgetBytes) => {
      const level = waterLevel(held, budgetBytes)
      const kept = held.map(({ heldBytes, floorBytes }) => Math.max(floorBytes, Math.min(heldBytes, level)))
      const sum = kept.reduce((a, b) => a + b, 0)
      const floors = held.reduce((total, { floorBytes }) => total + floorBytes, 0)
      const wanted = held.reduce((total, { heldBytes }) => total + heldBytes, 0)
      if (floors > budgetBytes) expect(sum).toBe(floors)
      else expect(sum).toBeCloseTo(Math.min(wanted, budgetBytes), 6)
    })
  )
})
