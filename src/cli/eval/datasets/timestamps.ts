/** The most by which two times of one moment may differ: TUM's associate.py (cvg.cit.tum.de/data/datasets/rgbd-dataset). */
const maxDifferenceS = 0.02

export interface Timed {
  timeS: number
}

/**
 * For each of `these` the one of `those` that is its partner, or undefined. As TUM does it: the pairs less than 20 ms
 * apart, closest first, each used once. Both are in order of time.
 */
export function associate<T extends Timed>(these: readonly Timed[], those: readonly T[]): (T | undefined)[] {
  const pairs: { i: number; j: number; apartS: number }[] = []
  let from = 0
  these.forEach(({ timeS }, i) => {
    while ((those[from]?.timeS ?? Infinity) < timeS - maxDifferenceS) from++
    for (let j = from; (those[j]?.timeS ?? Infinity) < timeS + maxDifferenceS; j++) {
      pairs.push({ i, j, apartS: Math.abs((those[j]?.timeS ?? 0) - timeS) })
    }
  })
  const partners = new Array<T | undefined>(these.length).fill(undefined)
  const isTaken = new Set<number>()
  for (const { i, j } of pairs.sort((a, b) => a.apartS - b.apartS)) {
    if (partners[i] !== undefined || isTaken.has(j)) continue
    partners[i] = those[j]
    isTaken.add(j)
  }
  return partners
}
