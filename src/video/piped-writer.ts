import { once } from 'node:events'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../errors.ts'
import { diskFailureTold } from './disk-failure-told.ts'
import { frameSync } from './frame-sync.ts'
import type { RawTrack } from './matroska.ts'
import { matroskaHead, pictureBytes, pictureHead } from './matroska.ts'
import type { MediaTool } from './media-tool.ts'
import { startMediaTool } from './media-tool.ts'

export interface VideoWriter {
  /**
   * One frame: its pixels row by row. Resolves when the encoder has room for the next. Times rise; the video begins with the
   * first. @default the usual time after the one before
   */
  write(pixels: Uint8Array, timestampUs?: number): Promise<void>
  /** Finish the file; only now does it appear under its name. */
  close(): Promise<void>
  /** Stop and leave no file; after `close` it does nothing. */
  abort(): Promise<void>
}

export interface PipedTrack extends RawTrack {
  /** What the encoder makes of the pictures: ffmpeg's options behind its input, in front of the file's name. */
  encode: readonly string[]
}

/**
 * Pictures go through a pipe to ffmpeg, each with its own time. Throws TOOL_MISSING; when the disk refuses, an error with the
 * system's code for it; when the encoder fails, INTERNAL with what it said.
 */
export async function createPipedWriter(videoPath: string, track: PipedTrack): Promise<VideoWriter> {
  const partPath = `${videoPath}.part`
  const input = ['-v', 'error', '-f', 'matroska', '-i', 'pipe:0']
  const args = [...input, ...track.encode, ...(await frameSync()), '-y', `file:${partPath}`]
  const tool = startMediaTool('ffmpeg', args, { stdio: ['pipe', 'ignore', 'pipe'], videoPath: partPath })
  // A broken pipe is reported with the exit code and the complaint, which say more.
  tool.child.stdin?.on('error', () => undefined)
  await Promise.race([once(tool.child, 'spawn'), tool.exited])
  tool.child.stdin?.write(matroskaHead(track))
  return videoWriter(tool, videoPath, track)
}

function videoWriter(tool: MediaTool, videoPath: string, track: RawTrack): VideoWriter {
  const partPath = `${videoPath}.part`
  const frameBytes = pictureBytes(track)
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
    async write(pixels, timestampUs = nextUs) {
      if (pixels.byteLength !== frameBytes) {
        throw new LeadlineError(
          'INTERNAL',
          `A video frame has ${pixels.byteLength} bytes instead of ${frameBytes}`
        )
      }
      if (state !== 'open' || stdin === null)
        throw new LeadlineError('INTERNAL', `The video writer is ${state}`)
      if (room.ended !== null) throw failed(room.ended.code)
      startUs ??= timestampUs
      nextUs = timestampUs + track.frameDurationUs
      stdin.write(pictureHead(Math.round(timestampUs - startUs), frameBytes))
      if (stdin.write(pixels)) return
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
