import type { Architecture } from '../../manifest.ts'
import { hiddenName, latentName, latentShapes, motionSites } from './latents.ts'

/**
 * In a window whose frames see each other, an attention needs the latents of all 32 frames before it can run for one.
 * So the network is cut at its attentions into stages, each of which runs for every frame before the next one begins:
 * 0 the encoder, up to the first latents of motion modules 0 and 1; 1 and 2 their attentions, 3 and 4 those of module 2,
 * 5 and 6 those of module 3, and what follows up to the depth.
 */
export const windowStages = 7

/** What a stage of one frame leaves for later ones. */
export interface WindowValue {
  name: string
  dims: readonly number[]
  /** The stage that gives it, and the last one that reads it. */
  born: number
  lastUsed: number
}

/** The stage at which each motion module begins. */
const modulesBegin = [0, 0, 2, 4] as const

export const mapNames = ['map_0', 'map_1'] as const
export const skipName = 'skip_2'

/** The features that enter motion module `index`. */
export function featuresName(index: number): string {
  return `features_${index}`
}

/** Everything that lies between stages, for one frame of height x width pixels. */
export function windowValues(architecture: Architecture, height: number, width: number): WindowValue[] {
  const grid = [height / architecture.patch, width / architecture.patch] as const
  const sites = motionSites(architecture, grid)
  const latents = latentShapes(architecture, height, width)
  const last = windowStages - 1
  const maps = mapNames.map((name, index) => ({
    name,
    dims: [1, architecture.outChannels[index]!, ...grid],
    born: 0,
    lastUsed: last
  }))
  const skip = { name: skipName, dims: [1, architecture.features, ...grid], born: 2, lastUsed: 4 }
  const features = sites.map((site, index) => ({
    name: featuresName(index),
    dims: [1, site.channels, ...site.grid],
    born: modulesBegin[index]!,
    lastUsed: modulesBegin[index]! + 2
  }))
  const rows = latents.flatMap(({ rows, channels }, index) => {
    const born = modulesBegin[Math.floor(index / 2)]! + (index % 2)
    return [hiddenName(index), latentName(index)].map((name) => ({
      name,
      dims: [rows, channels],
      born,
      lastUsed: born + 1
    }))
  })
  return [...maps, skip, ...features, ...rows]
}
