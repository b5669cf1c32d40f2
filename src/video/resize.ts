import type { Size } from './reader.ts'

/** Bilinear resize of one plane, pixel centres aligned at half steps; values outside repeat the edge. */
export function resizeBilinear(values: Float32Array, from: Size, to: Size): Float32Array {
  if (from.width === to.width && from.height === to.height) return values
  const columns = taps(from.width, to.width)
  const rows = taps(from.height, to.height)
  const resized = new Float32Array(to.width * to.height)
  for (let y = 0; y < to.height; y++) {
    const top = (rows.low[y] ?? 0) * from.width
    const bottom = (rows.high[y] ?? 0) * from.width
    const down = rows.weight[y] ?? 0
    for (let x = 0; x < to.width; x++) {
      const left = columns.low[x] ?? 0
      const right = columns.high[x] ?? 0
      const across = columns.weight[x] ?? 0
      const above = mix(values[top + left] ?? 0, values[top + right] ?? 0, across)
      const below = mix(values[bottom + left] ?? 0, values[bottom + right] ?? 0, across)
      resized[y * to.width + x] = mix(above, below, down)
    }
  }
  return resized
}

function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t
}

function taps(from: number, to: number): { low: Int32Array; high: Int32Array; weight: Float32Array } {
  const low = new Int32Array(to)
  const high = new Int32Array(to)
  const weight = new Float32Array(to)
  for (let i = 0; i < to; i++) {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5))
    low[i] = Math.floor(at)
    high[i] = Math.min(from - 1, Math.floor(at) + 1)
    weight[i] = at - Math.floor(at)
  }
  return { low, high, weight }
}
