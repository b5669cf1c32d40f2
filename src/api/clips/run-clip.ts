import path from 'node:path'
import type { Config } from '../../config.ts'
import type { ModelOffer, SessionOptions } from '../../session.ts'
import { sessionOptions, steadiness } from '../../session.ts'
import type { Sessions } from '../../sessions/index.ts'
import type { Size, VideoWarning } from '../../video/index.ts'
import { readVideo } from '../../video/index.ts'
import type { Clip } from './clip.ts'
import type { ClipStore } from './clip-store.ts'
import { DepthSpool } from './depth-spool.ts'
import type { RoomLimits } from './disk-room.ts'
import { DiskRoom } from './disk-room.ts'
import { checkFrameCount } from './frame-limit.ts'
import { depthOfFrames } from './frame-feed.ts'
import { isInterruption } from './interruption.ts'
import { writeResults } from './results/write-results.ts'

/** The disk is looked at once in so many frames. */
const framesPerLook = 8

export interface ClipRun {
  clip: Clip
  store: ClipStore
  sessions: Sessions
  limits: RoomLimits & Pick<Config, 'maxClipFrames'>
  /** Called with the number of depth maps so far. */
  onProgress: (frames: number) => void
  signal: AbortSignal
}

/** What is known of a clip once all of it was read. */
export interface ClipFindings {
  fps: number | null
  warnings: VideoWarning[]
  blankFrames: number
}

/** A clip that goes down this often with its workers may be what brings them down. */
const maxAttempts = 5

/**
 * From its start on another worker when one is lost or shut down: only then is every map made of the same past. Throws
 * CLIP_TOO_LARGE, STORAGE_FULL, and what sessions, files and tools throw.
 */
export async function runClip(run: ClipRun): Promise<ClipFindings> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptClip(run)
    } catch (error) {
      if (!isInterruption(error) || attempt === maxAttempts || run.signal.aborted) throw error
    }
  }
}

/**
 * Decode, infer, then write: the depth of the whole clip rests on disk between the two passes. What it would take too much
 * of ends it: with the first map where the file says how many will come, else when it is so far.
 */
async function attemptClip(run: ClipRun): Promise<ClipFindings> {
  const { clip, store, sessions, limits, onProgress, signal } = run
  const room = new DiskRoom(store.folder(clip.id), limits)
  const sourcePath = store.sourcePath(clip.id)
  const spool = await DepthSpool.open(path.join(store.folder(clip.id), 'depth.f32'))
  try {
    const warnings: VideoWarning[] = []
    const onWarnings = (found: VideoWarning[]) => void warnings.push(...found)
    const frames = (offer: ModelOffer) => readVideo(sourcePath, workingSize(clip.video, offer), onWarnings)
    onProgress(0)
    for await (const { header, payload } of depthOfFrames({
      sessions,
      options: optionsOf(clip),
      frames,
      signal
    })) {
      checkFrameCount(spool.count + 1, limits.maxClipFrames)
      if (spool.count % framesPerLook === 0)
        await room.check(comingBytes(clip, spool.count, payload.byteLength))
      // Copied, since the payload may lie at an offset that is no multiple of four.
      await spool.write(new Float32Array(new Uint8Array(payload).buffer), header)
      onProgress(spool.count)
    }
    let written = 0
    await writeResults({
      ...{ clip, spool, sourcePath, signal },
      pathOf: (name) => store.resultPath(clip.id, name),
      beforeMap: () => (written++ % framesPerLook === 0 ? room.check() : undefined)
    })
    return { fps: spool.fps ?? clip.video.fps, warnings, blankFrames: spool.numBlank }
  } finally {
    await spool.close()
  }
}

/** Of maps that are still to come: each once, and for an npz, which is made of a copy, twice more as large as it is there. */
function comingBytes({ progress, results, refine, video }: Clip, count: number, mapBytes: number): number {
  const resultBytes = refine === true ? video.width * video.height * Float32Array.BYTES_PER_ELEMENT : mapBytes
  const bytesEach = mapBytes + (results.includes('npz') ? 2 * resultBytes : 0)
  return Math.max(1, (progress.frameCount ?? 0) - count) * bytesEach
}

function optionsOf({ model, mode, cacheSize, ...clip }: Clip): SessionOptions {
  const output = { format: 'f32', size: 'network' } as const
  return { ...sessionOptions({ delivery: 'lossless', output }, model), mode, cacheSize, ...steadiness(clip) }
}

/**
 * Pixels travel raw inside, so a large source is shrunk on decoding: to twice the network's largest size a side, which
 * the network's own resize cannot tell from the original.
 */
function workingSize({ width, height }: Size, offer: ModelOffer): Size {
  const maxPixels = 4 * offer.resolution.maxArea
  const shrink = Math.min(1, Math.sqrt(maxPixels / (width * height)))
  return { width: Math.max(1, Math.round(width * shrink)), height: Math.max(1, Math.round(height * shrink)) }
}
