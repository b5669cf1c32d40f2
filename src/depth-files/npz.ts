import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { DepthTrack } from './depth-track.ts'
import type { NpzWriter } from './npz-writer.ts'
import { createNpzWriter } from './npz-writer.ts'

/**
 * npz: `depth` [frames, height, width], its type that in which depth is known, `scale` and `offset` [frames]: value = depth *
 * scale + offset, `times` [frames] in seconds on the source's clock, `epoch` [frames], and `quantity`.
 */
export async function createNpz(options: DepthFileOptions): Promise<DepthFile> {
  const track = new DepthTrack(options)
  let npz: NpzWriter | null = null
  return {
    async write(map) {
      npz ??= await createNpzWriter(options.path, { ...options.size, type: map.exact.array.type })
      await npz.write(map.exact.array)
      track.add(map, map.exact)
    },
    async close() {
      npz ??= await createNpzWriter(options.path, { ...options.size, type: '<f4' })
      await npz.close(track.arrays())
    },
    abort: async () => npz?.abort()
  }
}
