import type { NpyArray } from '../../video/index.ts'
import { createNpzWriter } from '../../video/index.ts'
import type { ResultOptions, ResultWriter } from './result-writer.ts'

/**
 * npz: `depth` [frames, height, width] as float32, just as the network gave it or refined from that, `times` [frames], each
 * frame's in seconds as the file has it, and `fps`, their average (0: not known).
 */
export async function createNpzFile({ path, size, source }: ResultOptions): Promise<ResultWriter> {
  const npz = await createNpzWriter(path, { ...size, dtype: 'f32' })
  const times: number[] = []
  return {
    async write({ values, timestampUs }) {
      await npz.write(values)
      times.push(timestampUs / 1e6)
    },
    close: () => npz.close({ times: doubles(times), fps: doubles([source.fps ?? 0]) }),
    abort: () => npz.abort()
  }
}

function doubles(values: readonly number[]): NpyArray {
  return { type: '<f8', shape: [values.length], values: Float64Array.from(values) }
}
