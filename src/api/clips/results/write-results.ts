import { colorTable } from '../../../colormap.ts'
import type { VideoFrame } from '../../../video/index.ts'
import { readVideo } from '../../../video/index.ts'
import type { Clip, ResultName } from '../clip.ts'
import type { DepthSpool } from '../depth-spool.ts'
import { createDepthVideo } from './depth-video.ts'
import { createNpzFile } from './npz-file.ts'
import { createPngArchive } from './png-archive.ts'
import type { ResultOptions, ResultWriter } from './result-writer.ts'
import { createSideBySideVideo } from './side-by-side-video.ts'

const creators: Record<ResultName, (options: ResultOptions) => Promise<ResultWriter>> = {
  'depth.mp4': createDepthVideo,
  'side-by-side.mp4': createSideBySideVideo,
  npz: createNpzFile,
  'png16.zip': createPngArchive
}

export interface ResultsJob {
  clip: Clip
  spool: DepthSpool
  sourcePath: string
  pathOf: (name: ResultName) => string
  /** Awaited before each map; what it throws ends the job. */
  beforeMap: () => Promise<void> | undefined
  signal: AbortSignal
}

/** Write every result the clip asks for, in one pass over its depth. On failure none is left. */
export async function writeResults(job: ResultsJob): Promise<void> {
  const { clip, spool, sourcePath, pathOf, beforeMap, signal } = job
  const writers: ResultWriter[] = []
  const frames = clip.results.includes('side-by-side.mp4') ? readVideo(sourcePath, clip.video) : null
  const table = colorTable(clip.colormap)
  try {
    for (const name of clip.results) {
      const { size, range, quantity } = spool
      const options = {
        path: pathOf(name),
        size,
        source: { ...clip.video, fps: spool.fps ?? clip.video.fps },
        range,
        quantity,
        table
      }
      writers.push(await creators[name](options))
    }
    let frame: VideoFrame | null = null
    // One range for the whole clip never flickers; a range that rests follows what the clip shows.
    for await (const { depth, timestampUs, ...map } of spool.maps()) {
      signal.throwIfAborted()
      await beforeMap()
      // A damaged file may give fewer frames the second time.
      frame = (await frames?.next())?.value ?? frame
      const display = clip.steadyRange === true ? map.display : spool.shownRange
      await Promise.all(writers.map((writer) => writer.write({ depth, timestampUs, display, frame })))
    }
    for (const writer of writers) await writer.close()
  } finally {
    await Promise.all(writers.map((writer) => writer.abort()))
    await frames?.return()
  }
}
