import type { WeightsMap } from './weights-map.ts'

const imageHead = 'depth_head.'
const videoHead = 'head.'

/**
 * The weights in the names of Video Depth Anything. Depth Anything V2 has the same encoder and head without motion
 * modules, and calls the head `depth_head` (its depth_anything_v2/dpt.py).
 */
export function videoNames(weights: WeightsMap): WeightsMap {
  const names = [...weights.keys()]
  if (names.some((name) => name.startsWith(videoHead))) return weights
  return new Map([...weights].map(([name, tensor]) => [videoName(name), tensor]))
}

function videoName(name: string): string {
  return name.startsWith(imageHead) ? videoHead + name.slice(imageHead.length) : name
}
