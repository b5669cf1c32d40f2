export interface Holding {
  heldBytes: number
  /** Of these, what it cannot give. */
  floorBytes: number
}

/**
 * The level up to which each may hold so that all together hold no more than the budget: who holds less keeps all of it,
 * whoever holds more gives down to the level or to its floor. That is max-min fair: the largest gives first. Infinity when
 * there is enough for everybody, 0 when the floors alone are too much.
 */
export function waterLevel(holdings: readonly Holding[], budgetBytes: number): number {
  const bends = holdings.flatMap(({ heldBytes, floorBytes }) => [
    { at: floorBytes, slope: 1 },
    { at: heldBytes, slope: -1 }
  ])
  bends.sort((a, b) => a.at - b.at)
  let level = 0
  let slope = 0
  let total = holdings.reduce((sum, { floorBytes }) => sum + floorBytes, 0)
  if (total > budgetBytes) return 0
  for (const bend of bends) {
    const raised = total + slope * (bend.at - level)
    if (raised > budgetBytes) return level + (budgetBytes - total) / slope
    total = raised
    level = bend.at
    slope += bend.slope
  }
  return Infinity
}
