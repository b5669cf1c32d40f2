/** What depth can be written as, by the name under which a result is asked for and fetched. `file`: as it is kept. */
export const depthFiles = {
  'depth.mp4': { file: 'depth.mp4', mediaType: 'video/mp4' },
  'side-by-side.mp4': { file: 'side-by-side.mp4', mediaType: 'video/mp4' },
  'side-by-side-half.mp4': { file: 'side-by-side-half.mp4', mediaType: 'video/mp4' },
  npz: { file: 'depth.npz', mediaType: 'application/zip' },
  'png16.zip': { file: 'depth.png16.zip', mediaType: 'application/zip' },
  'exr.zip': { file: 'depth.exr.zip', mediaType: 'application/zip' },
  'exr-half.zip': { file: 'depth.exr-half.zip', mediaType: 'application/zip' },
  'depth.mkv': { file: 'depth.mkv', mediaType: 'video/x-matroska' },
  'ply.zip': { file: 'depth.ply.zip', mediaType: 'application/zip' },
  'glb.zip': { file: 'depth.glb.zip', mediaType: 'application/zip' }
} as const

export type DepthFileName = keyof typeof depthFiles
export const depthFileNames = Object.keys(depthFiles) as DepthFileName[]

/** In colours, for people. */
export const colorVideos: readonly DepthFileName[] = [
  'depth.mp4',
  'side-by-side.mp4',
  'side-by-side-half.mp4'
]
/** Whose values are of 16 bits. */
export const levelFiles: readonly DepthFileName[] = ['png16.zip', 'depth.mkv']
/** That show the source's own frames. */
export const pictureFiles: readonly DepthFileName[] = [
  'side-by-side.mp4',
  'side-by-side-half.mp4',
  'ply.zip',
  'glb.zip'
]

/** By the end of a file's name, the longest that fits; a video that says no more is in colours. null: none. */
export function depthFileNameOf(filePath: string): DepthFileName | null {
  const endings: [string, DepthFileName][] = [
    ...depthFileNames.map((name) => [name, name] as [string, DepthFileName]),
    ['mp4', 'depth.mp4'],
    ['mkv', 'depth.mkv']
  ]
  const fitting = endings.filter(([ending]) =>
    new RegExp(`[./\\\\]${ending.replaceAll('.', '\\.')}$`, 'i').test(`/${filePath}`)
  )
  return fitting.sort(([a], [b]) => b.length - a.length)[0]?.[1] ?? null
}
