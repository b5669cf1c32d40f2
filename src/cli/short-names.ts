/** Where the authors publish a checkpoint. */
export interface PublishedFile {
  url: string
  /** Of the file, in hexadecimal; null: none was found published. */
  sha256: string | null
}

interface Published {
  repository: string
  file: string
  sha256: string | null
}

/**
 * Official checkpoints that anybody may use, by a name to type. Those of other sizes forbid commercial use and have none here.
 * Digests are of the files at these addresses, as independent public repositories pin them (ten and more of each).
 */
const published = {
  'vda-small': {
    repository: 'Video-Depth-Anything-Small',
    file: 'video_depth_anything_vits.pth',
    sha256: '13379300b739e659f076a59d52e9801bd8d38c541a7e71f73bbca4dcfb013609'
  },
  'vda-metric-small': {
    repository: 'Metric-Video-Depth-Anything-Small',
    file: 'metric_video_depth_anything_vits.pth',
    sha256: '3c28432b4e1f0d7bb31cad5151b6313b49457db5aa58d82e85bfb0f8b1311b33'
  },
  'da2-small': {
    repository: 'Depth-Anything-V2-Small',
    file: 'depth_anything_v2_vits.pth',
    sha256: '715fade13be8f229f8a70cc02066f656f2423a59effd0579197bbf57860e1378'
  },
  'da2-indoor-small': {
    repository: 'Depth-Anything-V2-Metric-Hypersim-Small',
    file: 'depth_anything_v2_metric_hypersim_vits.pth',
    sha256: 'b782898d8a3e8be1f639de33837ed85e9b4b73e40f8f5e5cd99067588d722545'
  },
  'da2-outdoor-small': {
    repository: 'Depth-Anything-V2-Metric-VKITTI-Small',
    file: 'depth_anything_v2_metric_vkitti_vits.pth',
    sha256: null
  }
} as const satisfies Record<string, Published>

export const shortNames = Object.keys(published)

/** What a short name stands for; undefined for any other text. */
export function publishedFile(name: string): PublishedFile | undefined {
  if (!Object.hasOwn(published, name)) return undefined
  const { repository, file, sha256 } = published[name as keyof typeof published]
  return { url: `https://huggingface.co/depth-anything/${repository}/resolve/main/${file}`, sha256 }
}

/** The published digest of a file by its name without extension; null: none is known. */
export function publishedDigest(fileName: string): string | null {
  return Object.values(published).find(({ file }) => file === `${fileName}.pth`)?.sha256 ?? null
}
