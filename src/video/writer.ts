import { once } from 'node:events'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Size } from '../bilinear.ts'
import { LeadlineError } from '../errors.ts'
import { diskFailureTold } from './disk-failure-told.ts'
import { frameDurationUs } from './frame-duration.ts'
import { frameSync } from './frame-sync.ts'
import { matroskaHead, pictureHead } from './matroska.ts'
import type { MediaTool } from './media-tool.ts'
import { startMediaTool } from './media-tool.ts'

export interface VideoWriter {
  /**
   * One frame: RGB, uint8, height x width x 3. Resolves when the encoder has room for the next. Times rise; the video
   * begins with the first. @default a frame of `fps` after the one before
   */
  write(rgb: Uint8Array, timestampUs?: number): Promise<void>
  /** Finish the file; only now does it appear under its name. */
  close(): Promise<void>
  /** Stop and leave no file; after `close` it does nothing. */
  abort(): Promise<void>
}

export interface VideoWriterOptions extends Size {
  /** What the encoder reckons with, and how long the last frame is shown; null: not known. */
  fps: number | null
}

/** Of x264, in pixels. */
const maxSide = 16_384

/**
 * Write an MP4 that every browser plays: H.264, yuv420p, BT.709, index in front, each frame at its own time. Odd sizes
 * gain one black column or row, and what is larger than the encoder takes is shrunk. Throws TOOL_MISSING; when the disk
 * refuses, an error with the system's code for it; when the encoder fails, INTERNAL with what it said.
 */
export async function createVideoWriter(
  videoPath: string,
  options: VideoWriterOptions
): Promise<VideoWriter> {
  const partPath = `${videoPath}.part`
  const args = encoderArguments(partPath, options, await frameSync())
  const tool = startMediaTool('ffmpeg', args, { stdio: ['pipe', 'ignore', 'pipe'], videoPath: partPath })
  // A broken pipe is reported with the exit code and the complaint, which say more.
  tool.child.stdin?.on('error', () => undefined)
  await Promise.race([once(tool.child, 'spawn'), tool.exited])
  const track = { ...options, frameDurationUs: frameDurationUs(options.fps) }
  tool.child.stdin?.write(matroskaHead(track))
  return videoWriter(tool, videoPath, options)
}

function encoderArguments(partPath: string, size: Size, sync: readonly string[]): string[] {
  const { width, height } = encodedSize(size)
  const even = 'pad=ceil(iw/2)*2:ceil(ih/2)*2'
  const scale = `scale=${width}:${height}:out_color_matrix=bt709:out_range=tv`
  const color = [
    ...['-colorspace', 'bt709', '-color_primaries', 'bt709'],
    ...['-color_trc', 'bt709', '-color_range', 'tv']
  ]
  // Without frames that wait for later ones, the length of an uneven video comes out right in every player.
  const encode = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-bf', '0', '-pix_fmt', 'yuv420p']
  return [
    ...['-v', 'error', '-f', 'matroska', '-i', 'pipe:0', '-vf', `${even},${scale}`, ...encode, ...color],
    ...[
      ...sync,
      '-enc_time_base',
      '1:90000',
      '-movflags',
      '+faststart',
      '-f',
      'mp4',
      '-y',
      `file:${partPath}`
    ]
  ]
}

/** Even, and no side above the encoder's most. */
function encodedSize({ width, height }: Size): Size {
  const shrink = Math.min(1, maxSide / Math.max(width, height))
  const even = (side: number) => Math.max(2, 2 * Math.ceil((side * shrink) / 2))
  return { width: even(width), height: even(height) }
}

function videoWriter(
  tool: MediaTool,
  videoPath: string,
  { width, height, fps }: VideoWriterOptions
): VideoWriter {
  const partPath = `${videoPath}.part`
  const frameBytes = width * height * 3
  let state: 'open' | 'closed' | 'aborted' = 'open'
  let startUs: number | null = null
  let nextUs = 0
  const { stdin } = tool.child
  const room = new Room(tool)
  const failed = (code: number | null) => {
    const text = `ffmpeg could not write ${path.basename(videoPath)} (exit code ${code}): ${tool.complaint()}`
    return diskFailureTold(tool, text) ?? new LeadlineError('INTERNAL', text)
  }
  return {
    async write(rgb, timestampUs = nextUs) {
      if (rgb.byteLength !== frameBytes) {
        throw new LeadlineError(
          'INTERNAL',
          `A video frame has ${rgb.byteLength} bytes instead of ${frameBytes}`
        )
      }
      if (state !== 'open' || stdin === null)
        throw new LeadlineError('INTERNAL', `The video writer is ${state}`)
      if (room.ended !== null) throw failed(room.ended.code)
      startUs ??= timestampUs
      nextUs = timestampUs + frameDurationUs(fps)
      stdin.write(pictureHead(Math.round(timestampUs - startUs), frameBytes))
      if (stdin.write(rgb)) return
      const ended = await room.come()
      if (ended !== null) throw failed(ended.code)
    },
    async close() {
      if (state !== 'open') return
      state = 'closed'
      stdin?.end()
      const code = await tool.exited
      // ffmpeg ends as if all were well when only the end of the file found no room.
      if (code === 0 && diskFailureTold(tool, '') === null) return rename(partPath, videoPath)
      await rm(partPath, { force: true })
      throw failed(code)
    },
    async abort() {
      if (state !== 'open') return
      state = 'aborted'
      tool.child.kill('SIGKILL')
      await tool.exited
      await rm(partPath, { force: true })
    }
  }
}

/** Waits for a tool's stdin, or for its end, with one listener for each however often it waits. */
class Room {
  ended: { code: number | null } | null = null
  #wake: () => void = () => undefined

  constructor({ child, exited }: MediaTool) {
    child.stdin?.on('drain', () => this.#wake())
    const end = (code: number | null) => {
      this.ended = { code }
      this.#wake()
    }
    exited.then(end, () => end(null))
  }

  /** Resolves when stdin has room again, or with how the tool ended. */
  async come(): Promise<{ code: number | null } | null> {
    if (this.ended === null) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.ended
  }
}
