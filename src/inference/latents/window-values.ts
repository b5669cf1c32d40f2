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

/** The two finer maps that are fused last. */
export const mapNames = ['map_0', 'map_1'] as const
/** The finest map of a convolutional encoder, at stride 2. */
export const stemName = 'stem'
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
  const maps = mapDims(architecture, grid).map((map) => ({ ...map, born: 0, lastUsed: windowStages - 1 }))
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

/** What of the encoder the last stage still needs. A vision transformer's maps are enlarged there, from the patch grid. */
function mapDims({ conv, outChannels }: Architecture, [rows, columns]: readonly [number, number]) {
  const map = (name: string, channels: number, scale: number) => ({
    name,
    dims: [1, channels, scale * rows, scale * columns]
  })
  const [fine, coarse] = outChannels as [number, number, number, number]
  const [fineName, coarseName] = mapNames
  if (conv === undefined) return [map(fineName, fine, 1), map(coarseName, coarse, 1)]
  return [map(fineName, fine, 4), map(coarseName, coarse, 2), map(stemName, conv.stem, 8)]
}
