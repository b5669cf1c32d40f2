/** Numbers of rows that networks are built for: powers of two up to `maxBatch`. Each costs a graph and its weights. */
export function batchSizes(maxBatch: number): number[] {
  const sizes = [1]
  while (2 * sizes.at(-1)! <= maxBatch) sizes.push(2 * sizes.at(-1)!)
  return sizes
}

/** The largest size of batch that `rows` fill: no step computes a row that nobody asked for. */
export function largestBatch(rows: number, maxBatch: number): number {
  return batchSizes(Math.min(rows, maxBatch)).at(-1)!
}
