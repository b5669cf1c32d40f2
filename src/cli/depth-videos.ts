import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { DepthResult } from '../client/index.ts'
import { resizeBilinear } from '../bilinear.ts'
import type { ColorTable, DisplayEnds } from '../colormap.ts'
import { colorTable, colorize, displayEnds } from '../colormap.ts'
import { LeadlineError } from '../errors.ts'
import type { RgbPicture, Size, VideoFrame, VideoWriter } from '../video/index.ts'
import { createVideoWriter, sideBySide } from '../video/index.ts'

export interface DepthVideoPaths {
  /** Depth in colours. */
  depth: string | null
  /** Source on the left, depth in colours on the right. */
  sideBySide: string | null
}

interface DepthPicture extends Size {
  values: Float32Array
  ends: DisplayEnds
}

/** Writes depth maps as videos, opened with the first map, since it tells their size. */
export class DepthVideos {
  readonly #paths: DepthVideoPaths
  readonly #fps: number | null
  readonly #table: ColorTable = colorTable('turbo')
  readonly #writers = new Map<string, VideoWriter>()
  /** Shown again where a frame has no depth of its own, so that the video keeps its length. */
  #last: DepthPicture | null = null

  /** `fps`: average of the frames; null when unknown. */
  constructor(paths: DepthVideoPaths, fps: number | null) {
    this.#paths = paths
    this.#fps = fps
  }

  /** The frame and its depth map; null where it has none. */
  async write(frame: VideoFrame, result: DepthResult | null): Promise<void> {
    if (this.#paths.depth === null && this.#paths.sideBySide === null) return
    const depth = result === null ? this.#last : picture(result)
    this.#last = depth
    if (depth === null) return
    const { depth: depthPath, sideBySide: bothPath } = this.#paths
    if (depthPath !== null) await this.#append(depthPath, this.#colored(depth), frame.timestampUs)
    if (bothPath !== null)
      await this.#append(bothPath, sideBySide(frame, this.#colored(resized(depth, frame))), frame.timestampUs)
  }

  async close(): Promise<void> {
    for (const writer of this.#writers.values()) await writer.close()
  }

  /** After `close` it does nothing. */
  async abort(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.abort()))
  }

  #colored({ values, width, height, ends }: DepthPicture): RgbPicture {
    return { width, height, rgb: colorize(values, ends, this.#table) }
  }

  async #append(videoPath: string, picture: RgbPicture, timestampUs: number): Promise<void> {
    const { rgb, width, height } = picture
    const writer =
      this.#writers.get(videoPath) ?? (await createVideoWriter(videoPath, { width, height, fps: this.#fps }))
    this.#writers.set(videoPath, writer)
    await writer.write(rgb, timestampUs)
  }
}

function picture(result: DepthResult): DepthPicture {
  const { width, height, rangeMin, rangeMax, quantity } = result.header
  const ends = displayEnds({ min: rangeMin, max: rangeMax }, quantity)
  return { values: result.values(), width, height, ends }
}

function resized(depth: DepthPicture, { width, height }: Size): DepthPicture {
  const values = resizeBilinear(depth.values, depth, { width, height })
  return { values, width, height, ends: depth.ends }
}

/** Throws REQUEST_INVALID when a file could not be written there, before any work is done. */
export async function checkFolderOf(filePath: string): Promise<void> {
  const folder = path.dirname(path.resolve(filePath))
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false
  )
  if (!isFolder)
    throw new LeadlineError(
      'REQUEST_INVALID',
      `${filePath} cannot be written: there is no folder ${folder}; create it first`
    )
}
