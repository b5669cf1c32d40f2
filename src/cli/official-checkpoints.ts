import type { Manifest } from '../manifest.ts'

/** What the authors say about a checkpoint that they publish. */
export interface OfficialCheckpoint {
  title: string
  /** SPDX identifier. */
  license: string
  quantity: Manifest['quantity']
  /** Of networks that end in a sigmoid. */
  maxDepthMetres?: number
}

type Family = Pick<OfficialCheckpoint, 'title' | 'quantity' | 'maxDepthMetres'>

/**
 * The begin of a file's name → what its network gives, which its tensors do not tell. Sources: README.md and
 * metric_depth/README.md of DepthAnything/Video-Depth-Anything and DepthAnything/Depth-Anything-V2.
 */
const families: Readonly<Record<string, Family>> = {
  video_depth_anything: { title: 'Video Depth Anything', quantity: 'relative-inverse-depth' },
  metric_video_depth_anything: { title: 'Metric Video Depth Anything', quantity: 'metric-depth' },
  depth_anything_v2: { title: 'Depth Anything V2', quantity: 'relative-inverse-depth' },
  depth_anything_v2_metric_hypersim: {
    title: 'Depth Anything V2 Metric Indoor',
    quantity: 'metric-depth',
    maxDepthMetres: 20
  },
  depth_anything_v2_metric_vkitti: {
    title: 'Depth Anything V2 Metric Outdoor',
    quantity: 'metric-depth',
    maxDepthMetres: 80
  }
}

/** The end of a file's name → the size, and the licence that all families give it. */
const sizes: Readonly<Record<string, { title: string; license: string }>> = {
  vits: { title: 'Small', license: 'Apache-2.0' },
  vitb: { title: 'Base', license: 'CC-BY-NC-4.0' },
  vitl: { title: 'Large', license: 'CC-BY-NC-4.0' }
}

/** What is known of an official checkpoint by its file name without extension; undefined for any other file. */
export function officialCheckpoint(fileName: string): OfficialCheckpoint | undefined {
  const [, familyName = '', sizeName = ''] = /^(.+)_([^_]+)$/.exec(fileName) ?? []
  const family = Object.hasOwn(families, familyName) ? families[familyName] : undefined
  const size = Object.hasOwn(sizes, sizeName) ? sizes[sizeName] : undefined
  if (family === undefined || size === undefined) return undefined
  return { ...family, title: `${family.title} ${size.title}`, license: size.license }
}

/** The first Depth Anything has the tensors of the second, but feeds its head from the last four blocks. */
export function isFirstDepthAnything(fileName: string): boolean {
  return /^depth_anything_vit[sbl](14)?$/.test(fileName)
}
