import { createNpzWriter } from '../../../video/index.ts'
import type { ResultOptions, ResultWriter } from './result-writer.ts'

/** npz: `depth` [frames, height, width] as float32, just as the network gave it, and `fps`. */
export async function createNpzFile({ path, size, source }: ResultOptions): Promise<ResultWriter> {
  const npz = await createNpzWriter(path, { ...size, dtype: 'f32' })
  return {
    write: ({ depth }) => npz.write(depth),
    close: () => npz.close({ fps: { type: '<f8', shape: [1], values: Float64Array.of(source.fps) } }),
    abort: () => npz.abort()
  }
}
