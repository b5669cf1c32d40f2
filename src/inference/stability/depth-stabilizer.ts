import { along } from '../../maps/affine-map.ts'
import type { AffineMap } from '../../maps/affine-map.ts'
import { LineFit } from '../../maps/line-fit.ts'
import { estimateMotion, follow, residuals } from './camera-motion.ts'
import type { FrameGrid } from './frame-grid.ts'

/** What makes a depth map steady: depth * scale + shift, never below 0. */
export interface DepthCorrection {
  scale: number
  shift: number
}

/** A frame and its depth before the next is seen. Plain data. */
export interface StabilizerState {
  grid: FrameGrid
  /** Corrected depth of the grid's cells. */
  depth: Float32Array
  correction: DepthCorrection
  /** Sum of the latest zooms, older ones counting less: an unsteady hand adds up to nothing, a walk does not. */
  zoom: number
}

/** Luma by which a cell may differ and still count by a third: noise and compression. */
const sameLuma = 3
/** How much of the summed zoom stays from frame to frame. */
const zoomMemory = 0.8
/** Summed zoom at which depth is trusted by a third: a camera that moves along its axis changes every depth for real. */
const trustedZoom = 0.01
/** A single frame's zoom beyond this is no motion but another picture. */
const maxZoom = 0.1
/** Share of same cells that counts half: in two unrelated pictures a few are the same by chance. */
const chanceShare = 0.25
/** Weight of the correction so far against evidence from the whole frame: one noisy map moves little. */
const inertia = 0.03
/** How much of the correction is forgotten in a frame that shows nothing still. */
const leak = 0.01
const maxScale = 2
/** Largest displacement of the mean, in standard deviations of the map. */
const maxDisplacement = 1
const fits = 2

const noCorrection: DepthCorrection = { scale: 1, shift: 0 }

/**
 * The correction that holds a map's scale and shift to that of the maps before it. Where the picture stayed, or moved
 * across without coming nearer, depth must be what it was: there the map is fitted to the one before. Where the camera
 * moves along its axis nothing is fitted, and the correction slowly leaks away. `state` is null at the start of an epoch.
 */
export function stabilize(
  state: StabilizerState | null,
  grid: FrameGrid,
  depth: Float32Array
): StabilizerState {
  if (state === null) return { grid, depth, correction: noCorrection, zoom: 0 }
  const motion = estimateMotion(state.grid, grid)
  const zoom = zoomMemory * state.zoom + Math.max(-maxZoom, Math.min(maxZoom, motion.zoom))
  const wanted = follow(state.depth, grid, motion)
  const sameness = samenessOf(residuals(follow(state.grid.luma, grid, motion), grid.luma).values)
  const share = meanOf(sameness)
  const trust =
    motion.certainty * Math.exp(-((zoom / trustedZoom) ** 2)) * (share ** 2 / (share ** 2 + chanceShare ** 2))
  const weights = sameness.map((same) => same * trust)
  const fitted = bounded(fit(depth, wanted, weights, state.correction), depth)
  const correction = leaked(fitted, leak * (1 - trust * share))
  return { grid, depth: corrected(depth, correction), correction, zoom }
}

export function corrected(depth: Float32Array, correction: DepthCorrection): Float32Array {
  const affine = correctionMap(correction)
  return depth.map((value) => along(affine, value))
}

/** For who goes over all values anyway. */
export function correctionMap({ scale, shift }: DepthCorrection): AffineMap {
  return { scale, offset: shift, floor: 0, limit: Infinity }
}

/** 0 to 1 for each cell: how sure it is that it shows what it did. */
function samenessOf(lumaChange: Float32Array): Float32Array {
  return lumaChange.map((change) => (Number.isNaN(change) ? 0 : Math.exp(-((change / sameLuma) ** 2))))
}

/**
 * Weighted least squares of depth * scale + shift against `wanted`, drawn towards the correction so far, and done again
 * with less weight on what fits badly: an object that moves must not move the rest.
 */
function fit(
  depth: Float32Array,
  wanted: Float32Array,
  weights: Float32Array,
  before: DepthCorrection
): DepthCorrection {
  const moments = momentsOf(depth)
  let found = before
  for (let round = 0; round < fits; round++) {
    const doubtful = 1.5 * misfit(depth, wanted, weights, found)
    const next = new LineFit()
    next.addOnLine(before, moments, inertia * depth.length)
    for (let i = 0; i < depth.length; i++) {
      const weight = weights[i] ?? 0
      if (weight === 0) continue
      const [value, goal] = [depth[i] ?? 0, wanted[i] ?? 0]
      const off = Math.abs(value * found.scale + found.shift - goal)
      next.add(value, goal, off > doubtful ? (weight * doubtful) / off : weight)
    }
    // A flat map determines no scale.
    found = next.solve() ?? next.through(before.scale)
  }
  return found
}

/** Weighted mean of |depth * scale + shift - wanted|. */
function misfit(
  depth: Float32Array,
  wanted: Float32Array,
  weights: Float32Array,
  { scale, shift }: DepthCorrection
): number {
  let sum = 0
  let total = 1e-9
  for (let i = 0; i < depth.length; i++) {
    const weight = weights[i] ?? 0
    if (weight === 0) continue
    sum += weight * Math.abs((depth[i] ?? 0) * scale + shift - (wanted[i] ?? 0))
    total += weight
  }
  return sum / total
}

function bounded({ scale, shift }: DepthCorrection, depth: Float32Array): DepthCorrection {
  const { mean, variance } = momentsOf(depth)
  const allowed = maxDisplacement * Math.sqrt(variance)
  const scaleWithin = Math.max(1 / maxScale, Math.min(maxScale, scale))
  const displacement = mean * scale + shift - mean
  const displacementWithin = Math.max(-allowed, Math.min(allowed, displacement))
  return { scale: scaleWithin, shift: mean + displacementWithin - mean * scaleWithin }
}

function leaked({ scale, shift }: DepthCorrection, share: number): DepthCorrection {
  return { scale: scale + share * (1 - scale), shift: shift * (1 - share) }
}

function momentsOf(values: Float32Array): { mean: number; variance: number } {
  const mean = meanOf(values)
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += ((values[i] ?? 0) - mean) ** 2
  return { mean, variance: squares / Math.max(1, values.length) }
}

function meanOf(values: Float32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0
  return sum / Math.max(1, values.length)
}
