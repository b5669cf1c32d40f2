import { colorTable, displayEnds } from '../../maps/colormap.ts'
import type { DepthFile, DepthFileMap, MapTask } from '../../depth-files/index.ts'
import { colorVideos, createDepthFile, levelFiles, pictureFiles, renderMap } from '../../depth-files/index.ts'
import type { VideoFrame } from '../../video/index.ts'
import { readVideo } from '../../video/index.ts'
import type { Clip, ResultName } from '../clip.ts'
import { cameraOf } from '../clip.ts'
import type { DepthSpool, SpooledDepth } from '../spool/depth-spool.ts'
import { MapRenderer } from './map-renderer.ts'

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
  const { clip, spool, sourcePath, beforeMap, signal } = job
  const isRefined = clip.refine === true
  const needsFrames = isRefined || asks(clip, pictureFiles)
  const frames = needsFrames ? readVideo(sourcePath, clip.video) : null
  const refiner = isRefined ? new MapRenderer() : null
  const files: DepthFile[] = []
  try {
    for (const name of clip.results) files.push(await createFile(job, name))
    let frame: VideoFrame | null = null
    for await (const spooled of spool.maps()) {
      signal.throwIfAborted()
      await beforeMap()
      // A damaged file may give fewer frames the second time.
      frame = (await frames?.next())?.value ?? frame
      const map = await render(job, { spooled, frame, refiner })
      await Promise.all(files.map((file) => file.write(map)))
    }
    for (const file of files) await file.close()
  } finally {
    await Promise.all(files.map((file) => file.abort()))
    await frames?.return()
    await refiner?.close()
  }
}

function asks({ results }: Clip, names: readonly string[]): boolean {
  return results.some((name) => names.includes(name))
}

function createFile({ clip, spool, pathOf }: ResultsJob, name: ResultName): Promise<DepthFile> {
  return createDepthFile(name, {
    path: pathOf(name),
    size: clip.refine === true ? clip.video : spool.size,
    source: { ...clip.video, fps: spool.fps ?? clip.video.fps },
    quantity: spool.quantity,
    camera: cameraOf(clip)
  })
}

interface Rendering {
  spooled: SpooledDepth
  frame: VideoFrame | null
  refiner: MapRenderer | null
}

async function render(
  { clip, spool }: ResultsJob,
  { spooled, frame, refiner }: Rendering
): Promise<DepthFileMap> {
  const { depth, display, timestampUs, epoch } = spooled
  const { range } = spool
  // One range for the whole clip never flickers; a range that rests follows what the clip shows.
  const ends = displayEnds(clip.steadyRange === true ? display : spool.shownRange, spool.quantity)
  const task: MapTask = {
    depth,
    size: spool.size,
    to: clip.refine === true ? clip.video : spool.size,
    // Another frame's edges would be wrong.
    picture: clip.refine === true && frame?.timestampUs === timestampUs ? frame : null,
    colors: asks(clip, colorVideos) ? { ends, table: colorTable(clip.colormap) } : null,
    levels: asks(clip, levelFiles) ? range : null
  }
  const rendered = refiner ? await refiner.render(task) : renderMap(task)
  return {
    ...rendered,
    levels: { scale: (range.max - range.min) / 65_535, offset: range.min },
    exact: { scale: 1, offset: 0, array: { type: '<f4', values: rendered.values } },
    ...{ ends, epoch, timestampUs, frame }
  }
}
