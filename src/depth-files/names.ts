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
/** With what a command alone writes, being more than one file or none: raw values, and a folder of pictures. */
export type DepthOutputName = DepthFileName | 'f32' | 'f16' | 'png16'
export const depthFileNames = Object.keys(depthFiles) as DepthFileName[]

/** In colours, for people. */
export const colorVideos: readonly DepthOutputName[] = [
  'depth.mp4',
  'side-by-side.mp4',
  'side-by-side-half.mp4'
]
/** Whose values are of 16 bits. */
export const levelFiles: readonly DepthOutputName[] = ['png16.zip', 'png16', 'depth.mkv']
/** That show the source's own frames. */
export const pictureFiles: readonly DepthOutputName[] = [
  'side-by-side.mp4',
  'side-by-side-half.mp4',
  'ply.zip',
  'glb.zip'
]

/** The path that stands for standard output. */
export const standardOutput = '-'

/**
 * By the end of a file's name, the longest that fits; a video that says no more is in colours, and what ends as a folder does
 * is one of pictures. null: none.
 */
export function depthOutputNameOf(filePath: string): DepthOutputName | null {
  if (/[/\\]$/.test(filePath)) return 'png16'
  const endings: [string, DepthOutputName][] = [
    ...depthFileNames.map((name) => [name, name] as [string, DepthFileName]),
    ['f32', 'f32'],
    ['f16', 'f16'],
    ['mp4', 'depth.mp4'],
    ['mkv', 'depth.mkv']
  ]
  const fitting = endings.filter(([ending]) =>
    new RegExp(`[./\\\\]${ending.replaceAll('.', '\\.')}$`, 'i').test(`/${filePath}`)
  )
  return fitting.sort(([a], [b]) => b.length - a.length)[0]?.[1] ?? null
}
