import { colorTable, displayEnds } from '../../colormap.ts'
import type { VideoFrame } from '../../video/index.ts'
import { readVideo } from '../../video/index.ts'
import type { Clip, ResultName } from '../clip.ts'
import type { DepthSpool, SpooledDepth } from '../spool/depth-spool.ts'
import { createDepthVideo } from './depth-video.ts'
import { MapRenderer } from './map-renderer.ts'
import { createNpzFile } from './npz-file.ts'
import { createPngArchive } from './png-archive.ts'
import { renderMap } from './render-map.ts'
import type { MapTask } from './render-map.ts'
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
  const isRefined = clip.refine === true
  const needsFrames = isRefined || clip.results.includes('side-by-side.mp4')
  const frames = needsFrames ? readVideo(sourcePath, clip.video) : null
  const refiner = isRefined ? new MapRenderer() : null
  const taskOf = taskMaker(clip, spool)
  try {
    for (const name of clip.results) {
      const { size, range, quantity } = spool
      const options = {
        path: pathOf(name),
        size: isRefined ? clip.video : size,
        source: { ...clip.video, fps: spool.fps ?? clip.video.fps },
        range,
        quantity
      }
      writers.push(await creators[name](options))
    }
    let frame: VideoFrame | null = null
    for await (const map of spool.maps()) {
      signal.throwIfAborted()
      await beforeMap()
      // A damaged file may give fewer frames the second time.
      frame = (await frames?.next())?.value ?? frame
      const { timestampUs } = map
      const task = taskOf(map, frame)
      const rendered = refiner ? await refiner.render(task) : renderMap(task)
      await Promise.all(writers.map((writer) => writer.write({ ...rendered, timestampUs, frame })))
    }
    for (const writer of writers) await writer.close()
  } finally {
    await Promise.all(writers.map((writer) => writer.abort()))
    await frames?.return()
    await refiner?.close()
  }
}

/** What to make of each map, with its frame. */
function taskMaker(clip: Clip, spool: DepthSpool): (map: SpooledDepth, frame: VideoFrame | null) => MapTask {
  const { results, video, refine, steadyRange } = clip
  const table = colorTable(clip.colormap)
  const hasVideo = results.includes('depth.mp4') || results.includes('side-by-side.mp4')
  return ({ depth, display, timestampUs }, frame) => {
    // One range for the whole clip never flickers; a range that rests follows what the clip shows.
    const shown = steadyRange === true ? display : spool.shownRange
    return {
      depth,
      size: spool.size,
      to: refine === true ? video : spool.size,
      // Another frame's edges would be wrong.
      picture: refine === true && frame?.timestampUs === timestampUs ? frame : null,
      colors: hasVideo ? { ends: displayEnds(shown, spool.quantity), table } : null,
      levels: results.includes('png16.zip') ? spool.range : null
    }
  }
}
