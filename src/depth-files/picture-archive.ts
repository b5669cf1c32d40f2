import { createZipWriter } from '../video/index.ts'
import type { AffineLevels, DepthFile, DepthFileMap, DepthFileOptions } from './depth-file.ts'
import type { FolderWriter } from './folder-writer.ts'
import { DepthTrack } from './depth-track.ts'

/** How one map becomes a file of its own. */
export interface MapFormat {
  /** Without the dot. */
  extension: string
  /** What the stored values of a map mean. */
  levelsOf: (map: DepthFileMap) => AffineLevels
  encode: (map: DepthFileMap) => Uint8Array | Promise<Uint8Array>
}

/** What floats have. */
export const plain: AffineLevels = { scale: 1, offset: 0 }

/** A zip, or a folder, of one file a map, 000000 and on, and scale.json, which says what they have in common and of each what differs. */
export async function createPictureArchive(
  options: DepthFileOptions,
  { extension, levelsOf, encode }: MapFormat,
  given?: FolderWriter
): Promise<DepthFile> {
  const files = given ?? (await createZipWriter(options.path))
  const track = new DepthTrack(options)
  return {
    async write(map) {
      await files.add(`${String(track.count).padStart(6, '0')}.${extension}`, await encode(map))
      track.add(map, levelsOf(map))
    },
    async close() {
      await files.add('scale.json', Buffer.from(track.json()))
      await files.close()
    },
    abort: () => files.abort()
  }
}
