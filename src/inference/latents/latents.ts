import type { Architecture } from '../../manifest.ts'
import { motionChannels } from '../weights/architecture-rules.ts'

/** One temporal attention's latents for one frame of one session. */
export interface LatentShape {
  /** Spatial positions. */
  rows: number
  channels: number
}

/** Where the four motion modules sit: channels and grid of the features they take. */
export function motionSites(architecture: Architecture, [rows, columns]: readonly [number, number]) {
  const [deep, deepest, coarse, fine] = motionChannels(architecture)
  const half = [Math.ceil(rows / 2), Math.ceil(columns / 2)] as const
  return [
    { channels: deep, grid: [rows, columns] as const },
    { channels: deepest, grid: half },
    { channels: coarse, grid: [rows, columns] as const },
    { channels: fine, grid: [2 * rows, 2 * columns] as const }
  ] as const
}

/** The eight latents of a frame, two per motion module, in the order of the graph's inputs and outputs. */
export function latentShapes(architecture: Architecture, height: number, width: number): LatentShape[] {
  const grid = [height / architecture.patch, width / architecture.patch] as const
  return motionSites(architecture, grid).flatMap((site) => {
    const shape = { rows: site.grid[0] * site.grid[1], channels: site.channels }
    return [shape, shape]
  })
}

/** A ring of one row of a batch. */
export function cacheName(index: number, row = 0): string {
  return `cache_${index}${rowSuffix(row)}`
}

/** A ring of one row as the step leaves it. */
export function ringName(index: number, row = 0): string {
  return `ring_${index}${rowSuffix(row)}`
}

/** The residual stream beside a latent. */
export function hiddenName(index: number): string {
  return `hidden_${index}`
}

export function latentName(index: number, row = 0): string {
  return `latent_${index}${rowSuffix(row)}`
}

/** A graph for one row says nothing of rows. */
function rowSuffix(row: number): string {
  return row === 0 ? '' : `_row_${row}`
}
