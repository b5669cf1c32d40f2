import { LeadlineError } from '../errors.ts'
import type { FoundNetwork } from '../inference/index.ts'
import type { Architecture, Manifest } from '../manifest.ts'
import { publishedDigest } from './short-names.ts'

/** What the authors say about a checkpoint that they publish. */
export interface OfficialCheckpoint {
  title: string
  /** SPDX identifier. */
  license: string
  quantity: Manifest['quantity']
  /** Of networks that end in a sigmoid. */
  maxDepthMetres?: number
  size: NetworkSize
}

type NetworkSize = Pick<Architecture, 'embedDim' | 'blocks' | 'features'>
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
const sizes: Readonly<Record<string, Pick<OfficialCheckpoint, 'title' | 'license' | 'size'>>> = {
  vits: { title: 'Small', license: 'Apache-2.0', size: { embedDim: 384, blocks: 12, features: 64 } },
  vitb: { title: 'Base', license: 'CC-BY-NC-4.0', size: { embedDim: 768, blocks: 12, features: 128 } },
  vitl: { title: 'Large', license: 'CC-BY-NC-4.0', size: { embedDim: 1024, blocks: 24, features: 256 } }
}

/** What is known of an official checkpoint by its file name without extension; undefined for any other file. */
export function officialCheckpoint(fileName: string): OfficialCheckpoint | undefined {
  const [, familyName = '', sizeName = ''] = /^(.+)_([^_]+)$/.exec(fileName) ?? []
  const family = Object.hasOwn(families, familyName) ? families[familyName] : undefined
  const size = Object.hasOwn(sizes, sizeName) ? sizes[sizeName] : undefined
  if (family === undefined || size === undefined) return undefined
  return { ...family, ...size, title: `${family.title} ${size.title}` }
}

/**
 * What a file may be called that has an official name. Only the published bytes are called as their authors call them, where their
 * digest is known. Throws MODEL_FILE_INVALID for a network of another size, which is none of theirs.
 */
export function officialTitle(
  fileName: string,
  { title, size }: OfficialCheckpoint,
  { sha256, architecture }: FoundNetwork
): string {
  const { embedDim, blocks, features } = architecture
  if (embedDim !== size.embedDim || blocks !== size.blocks || features !== size.features)
    throw new LeadlineError(
      'MODEL_FILE_INVALID',
      `${fileName} is the name of ${title}, and the file holds another network (${blocks} blocks of ${embedDim} channels, ` +
        `not ${size.blocks} of ${size.embedDim}); rename the file, and say its licence with --license`
    )
  const published = publishedDigest(fileName)
  return published === null || published === sha256 ? title : `${title}, not the published file`
}

/** The first Depth Anything has the tensors of the second, but feeds its head from the last four blocks. */
export function isFirstDepthAnything(fileName: string): boolean {
  return /^depth_anything_vit[sbl](14)?$/.test(fileName)
}
