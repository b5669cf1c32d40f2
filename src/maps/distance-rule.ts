import type { DisplayEnds } from './colormap.ts'
import type { Quantity } from '../wire/frame.ts'

/**
 * How a value of depth becomes a distance along the viewing direction: `value`, of metres, or 1 / (value * scale + offset), of
 * relative inverse depth.
 */
export type DistanceRule = { kind: 'metres' } | { kind: 'inverse'; scale: number; offset: number }

/** How far away the nearest and the farthest point of relative depth are, in any unit. */
export interface Distances {
  near: number
  far: number
}

/** `ends`: the values at the nearest and the farthest point. */
export function distanceRule(quantity: Quantity, ends: DisplayEnds, distances: Distances): DistanceRule {
  if (quantity === 'metric-depth') return { kind: 'metres' }
  const span = ends.near - ends.far
  const scale = span === 0 ? 0 : (1 / distances.near - 1 / distances.far) / span
  return { kind: 'inverse', scale, offset: 1 / distances.far - scale * ends.far }
}

/** Relative depth is bounded by its ends. */
export function distanceAt(rule: DistanceRule, value: number, { near, far }: Distances): number {
  if (rule.kind === 'metres') return value
  return Math.min(far, Math.max(near, 1 / Math.max(1e-6, value * rule.scale + rule.offset)))
}
