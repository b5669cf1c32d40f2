import { along, identity } from '../../maps/affine-map.ts'
import type { AffineMap } from '../../maps/affine-map.ts'
import type { DisplayRange } from '../pixels/display-range.ts'

/** The display range of a session that moves only when the scene does. Plain data. */
export interface SteadyRange {
  /** What displays are told. */
  shown: DisplayRange
  /** Where the bulk of the latest maps lies. */
  running: DisplayRange
  /** Whether `shown` is on its way to `running`. */
  isMoving: boolean
}

/** The share of values beyond each end: single bright or dark spots do not set the colours. */
const tailShare = 0.01
/** The bulk fills this much less than the range, on each side, so that what comes a little nearer still has a colour. */
const headroom = 0.05
/** How much of each map enters the running range. */
const weight = 0.25
/** In extents of the range: how far the running range may go before the shown one follows, and how near is there again. */
const startMoving = 0.1
const stopMoving = 0.02
/** How much of the remaining way the shown range goes in a frame. */
const stride = 0.3
/** Values looked at in a map. */
const maxSamples = 2048

/**
 * The range after one more map: as the first map has it, then unchanged to the bit while maps differ by noise, and for a
 * lasting change nearly there within ten frames. `previous` is null at the start of an epoch. All values are
 * finite; `line` is what each of them still becomes.
 */
export function steadyRange(
  previous: SteadyRange | null,
  depth: Float32Array,
  affine: AffineMap = identity
): SteadyRange {
  const bulk = bulkOf(depth, affine)
  if (previous === null) return { shown: bulk, running: bulk, isMoving: false }
  const running = between(previous.running, bulk, weight)
  const distance = distanceOf(previous.shown, running)
  const isMoving = distance > (previous.isMoving ? stopMoving : startMoving)
  const shown = isMoving ? between(previous.shown, running, stride) : previous.shown
  return { shown, running, isMoving }
}

/** Range of all values but the tails, with headroom. */
function bulkOf(depth: Float32Array, affine: AffineMap): DisplayRange {
  const step = Math.max(1, Math.floor(depth.length / maxSamples))
  const samples = new Float32Array(Math.ceil(depth.length / step))
  for (let i = 0; i < samples.length; i++) samples[i] = along(affine, depth[i * step] ?? 0)
  samples.sort()
  const tail = Math.floor(samples.length * tailShare)
  const min = samples[tail] ?? 0
  const max = samples[samples.length - 1 - tail] ?? 0
  const room = (max - min) * headroom
  return { min: min - room, max: max + room }
}

/** How far the ends are apart, in extents; a flat range counts as wide as the other. */
function distanceOf(shown: DisplayRange, running: DisplayRange): number {
  const apart = Math.max(Math.abs(shown.min - running.min), Math.abs(shown.max - running.max))
  const extent = Math.max(shown.max - shown.min, running.max - running.min)
  if (apart === 0) return 0
  return extent > 0 ? apart / extent : Infinity
}

function between(from: DisplayRange, to: DisplayRange, share: number): DisplayRange {
  return { min: from.min + share * (to.min - from.min), max: from.max + share * (to.max - from.max) }
}
