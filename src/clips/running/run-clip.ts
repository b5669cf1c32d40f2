import { mkdir, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Config } from '../../config.ts'
import type { ModelOffer, SessionOptions } from '../../session.ts'
import { asLeadlineError } from '../../errors.ts'
import { sessionOptions, steadiness } from '../../session.ts'
import type { Sessions } from '../../sessions/index.ts'
import type { Size, VideoWarning } from '../../video/index.ts'
import { readVideo } from '../../video/index.ts'
import type { Clip } from '../clip.ts'
import { resultFiles } from '../clip.ts'
import { writeResults } from '../results/write-results.ts'
import type { ClipStorage } from '../storage/clip-storage.ts'
import { sourceFile } from '../storage/clip-storage.ts'
import type { RoomLimits } from '../storage/disk-room.ts'
import { DiskRoom } from '../storage/disk-room.ts'
import { DepthSpool } from '../spool/depth-spool.ts'
import { ClipCheckpoint } from './clip-checkpoint.ts'
import { CheckpointTurns } from './checkpoint-turns.ts'
import { checkFrameCount } from './frame-limit.ts'
import { depthOfFrames } from './frame-feed.ts'
import { isInterruption } from './interruption.ts'

/** The disk is looked at once in so many frames. */
const framesPerLook = 8
/** Where a session has to be parked for another, a clip's goes before live ones: theirs is 5. */
const clipPriority = 0
/** Sessions that end one after another without a new map: the clip may be what brings them down. */
const maxAttempts = 5

export interface ClipRun {
  clip: Clip
  /** Id of the key that it came with. */
  owner: string | null
  storage: Pick<ClipStorage, 'folder' | 'keep' | 'discard'>
  /** Of the run: files of others, who may be at work still, have other names. */
  run: string
  sessions: Sessions
  limits: RoomLimits & Pick<Config, 'maxClipFrames'>
  /** Called with the number of depth maps so far. */
  onProgress: (frames: number) => void
  signal: AbortSignal
}

/** What is known of a clip once all of it was read. */
export interface ClipFindings {
  frames: number
  /** Of the results. */
  bytes: number
  fps: number | null
  warnings: VideoWarning[]
  blankFrames: number
}

/**
 * Decode, infer, then write: the depth of the whole clip rests on disk between the two passes, and a run that follows one
 * that was cut off goes on behind what is there. What it would take too much of ends it: with the first map where the file
 * says how many will come, else when it is so far. Throws CLIP_TOO_LARGE, STORAGE_FULL, and what sessions, files and tools
 * throw.
 */
export async function runClip(run: ClipRun): Promise<ClipFindings> {
  const { clip, storage, limits, signal } = run
  const folder = storage.folder(clip.id)
  const room = new DiskRoom(folder, limits)
  const outFolder = path.join(folder, `results-${run.run}`)
  await mkdir(outFolder)
  const spool = await DepthSpool.open({ folder, onSegment: (name) => storage.keep(clip.id, [name]) })
  try {
    const warnings = await inferToEnd(run, spool, room)
    let written = 0
    await writeResults({
      ...{ clip, spool, sourcePath: sourceOf(folder), signal },
      pathOf: (name) => path.join(outFolder, resultFiles[name].file),
      beforeMap: () => (written++ % framesPerLook === 0 ? room.check() : undefined)
    })
    const files = clip.results.map((name) => resultFiles[name].file)
    for (const file of files) await rename(path.join(outFolder, file), path.join(folder, file))
    await storage.keep(clip.id, files)
    const sizes = await Promise.all(files.map(async (file) => (await stat(path.join(folder, file))).size))
    return {
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      ...{ frames: spool.count, fps: spool.fps ?? clip.video.fps },
      ...{ warnings, blankFrames: spool.numBlank }
    }
  } finally {
    await spool.close()
  }
}

/** Where the video of a clip lies. */
function sourceOf(folder: string): string {
  return path.join(folder, sourceFile)
}

/** With another session when one goes down with its worker or the way to it. */
async function inferToEnd(run: ClipRun, spool: DepthSpool, room: DiskRoom): Promise<VideoWarning[]> {
  const checkpoint = new ClipCheckpoint({ ...run, clip: run.clip.id })
  for (let attempt = 1, before = spool.count; ; attempt++) {
    try {
      return await infer(run, spool, { room, checkpoint })
    } catch (error) {
      const isUseless = asLeadlineError(error).code === 'CONTEXT_INVALID'
      if (!(isInterruption(error) || isUseless) || run.signal.aborted) throw error
      if (isUseless) await checkpoint.drop()
      if (spool.count > before) attempt = 1
      before = spool.count
      if (attempt === maxAttempts) throw error
    }
  }
}

/**
 * Frames are stepped again from behind the last checkpoint, or from the last one that began without a past, whichever is
 * later: only then is every map made of the same. Their depth is there already.
 */
async function infer(
  run: ClipRun,
  spool: DepthSpool,
  { room, checkpoint }: { room: DiskRoom; checkpoint: ClipCheckpoint }
): Promise<VideoWarning[]> {
  const { clip, owner, storage, sessions, limits, onProgress, signal } = run
  const warnings: VideoWarning[] = []
  const onWarnings = (found: VideoWarning[]) => void warnings.push(...found)
  // A window sees what comes after it: such a clip has no place to begin but its start.
  const lastStart = clip.mode === 'vda-window' ? 0 : spool.lastStart
  const kept = clip.mode === 'vda-window' ? null : await checkpoint.read(spool.count)
  const from = kept !== null && kept.seq >= lastStart ? kept : null
  const firstSeq = from === null ? lastStart : from.seq + 1
  const checkpoints = new CheckpointTurns(checkpoint, spool)
  const sourcePath = sourceOf(storage.folder(clip.id))
  const frames = (offer: ModelOffer) =>
    without(firstSeq, readVideo(sourcePath, workingSize(clip.video, offer), onWarnings))
  const options = { ...optionsOf(clip), owner, isClip: true }
  onProgress(spool.count)
  for await (const map of depthOfFrames({
    ...{ sessions, options, frames, firstSeq, from, signal },
    checkpoints
  })) {
    if (map.header.seq < spool.count) continue
    checkFrameCount(spool.count + 1, limits.maxClipFrames)
    if (spool.count % framesPerLook === 0)
      await room.check(comingBytes(clip, spool.count, map.payload.byteLength))
    await spool.write(map)
    await checkpoints.written()
    onProgress(spool.count)
  }
  return warnings
}

async function* without<T>(count: number, items: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  let index = 0
  for await (const item of items) if (index++ >= count) yield item
}

/** Of maps that are still to come: each once, and for an npz, which is made of a copy, twice more as large as it is there. */
function comingBytes({ progress, results, refine, video }: Clip, count: number, mapBytes: number): number {
  const resultBytes = refine === true ? video.width * video.height * Float32Array.BYTES_PER_ELEMENT : mapBytes
  const bytesEach = mapBytes + (results.includes('npz') ? 2 * resultBytes : 0)
  return Math.max(1, (progress.frameCount ?? 0) - count) * bytesEach
}

function optionsOf({ model, mode, cacheSize, ...clip }: Clip): SessionOptions {
  const output = { format: 'f32', size: 'network' } as const
  const wishes = { delivery: 'lossless', priority: clipPriority, output } as const
  return { ...sessionOptions(wishes, model), mode, cacheSize, ...steadiness(clip) }
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
