import { LineFit } from '../../maps/line-fit.ts'
import type { Line } from '../../maps/line-fit.ts'

/** The last depth map that was handed out, as the cells of a grid: where a cache made anew is joined to the one before. */
export interface Seam {
  /** Of the frame. */
  seq: number
  cells: Float32Array
}

export interface Joint {
  /** What the new cache's depth becomes; null: it is left as it is. */
  line: Line | null
  /** Mean difference that stays, as a share of the extent of what was handed out. */
  residual: number
}

const unaligned: Line = { scale: 1, shift: 0 }

/** Each round gives less weight to what fits badly: an edge that lies a cell beside where it lay must not turn the line. */
const rounds = 12
/** Keeps a fit without any error from dividing by it. */
const tiny = 1e-9
/** A rebuilt cache differs by a few per cent; a line beyond this fits by chance. */
const maxScale = 4

/**
 * The line that brings `rebuilt`, the same frame's depth by a cache made anew, to `shown`. Metres are left as they are, and
 * so is what no line brings nearer.
 */
export function joinSeam(
  rebuilt: Float32Array,
  shown: Float32Array,
  { isMetric }: { isMetric: boolean }
): Joint {
  const extent = extentOf(shown)
  const line = isMetric ? unaligned : fitted(rebuilt, shown)
  const [before, after] = [misfit(rebuilt, shown, unaligned), misfit(rebuilt, shown, line)]
  const isNearer = after < before
  return { line: isNearer ? line : null, residual: share(isNearer ? after : before, extent) }
}

/** Of scale and of a map's extent: what no display shows. */
const negligible = 1e-4

/**
 * The line one frame on. A rebuilt cache comes back by itself to what the old one would hold, by a factor e for each window
 * of `windowFrames`; a line that stayed would lead away from it. Null once nothing is left of it, of maps of this `extent`.
 */
export function faded(line: Line, windowFrames: number, extent: number): Line | null {
  const kept = Math.exp(-1 / windowFrames)
  const [scale, shift] = [1 + (line.scale - 1) * kept, line.shift * kept]
  const isGone = Math.abs(scale - 1) < negligible && Math.abs(shift) <= negligible * extent
  return isGone ? null : { scale, shift }
}

function fitted(rebuilt: Float32Array, shown: Float32Array): Line {
  let line = unaligned
  for (let round = 0; round < rounds; round++) {
    // Of the first round the line itself is not known.
    const doubtful = round === 0 ? Infinity : Math.max(misfit(rebuilt, shown, line), tiny)
    const fit = new LineFit()
    for (let i = 0; i < rebuilt.length; i++) {
      const [value, goal] = [rebuilt[i] ?? 0, shown[i] ?? 0]
      const off = Math.abs(value * line.scale + line.shift - goal)
      fit.add(value, goal, 1 / (1 + (off / doubtful) ** 2))
    }
    const next = fit.solve()
    if (next === null || !(next.scale >= 1 / maxScale && next.scale <= maxScale)) return unaligned
    line = next
  }
  return line
}

/** Mean of |rebuilt * scale + shift - shown|. */
function misfit(rebuilt: Float32Array, shown: Float32Array, { scale, shift }: Line): number {
  let sum = 0
  for (let i = 0; i < rebuilt.length; i++)
    sum += Math.abs((rebuilt[i] ?? 0) * scale + shift - (shown[i] ?? 0))
  return sum / Math.max(1, rebuilt.length)
}

function extentOf(values: Float32Array): number {
  let [min, max] = [Infinity, -Infinity]
  for (const value of values) {
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  return max - min
}

function share(difference: number, extent: number): number {
  return extent > 0 ? difference / extent : 0
}
