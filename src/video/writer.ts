import { once } from 'node:events'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../errors.ts'
import type { MediaTool } from './media-tool.ts'
import { startMediaTool } from './media-tool.ts'
import type { Size } from './reader.ts'

export interface VideoWriter {
  /** One frame: RGB, uint8, height x width x 3. Resolves when the encoder has room for the next. */
  write(rgb: Uint8Array): Promise<void>
  /** Finish the file; only now does it appear under its name. */
  close(): Promise<void>
  /** Stop and leave no file; after `close` it does nothing. */
  abort(): Promise<void>
}

/**
 * Write an MP4 that every browser plays: H.264, yuv420p, BT.709, index in front. Odd sizes gain one black column or row.
 * Throws TOOL_MISSING; when the encoder fails, INTERNAL with what it said.
 */
export async function createVideoWriter(
  videoPath: string,
  options: Size & { fps: number }
): Promise<VideoWriter> {
  const partPath = `${videoPath}.part`
  const tool = startMediaTool(
    'ffmpeg',
    encoderArguments(partPath, options),
    ['pipe', 'ignore', 'pipe'],
    partPath
  )
  // A broken pipe is reported with the exit code and the complaint, which say more.
  tool.child.stdin?.on('error', () => undefined)
  await Promise.race([once(tool.child, 'spawn'), tool.exited])
  return videoWriter(tool, videoPath, partPath, options.width * options.height * 3)
}

function encoderArguments(partPath: string, { width, height, fps }: Size & { fps: number }): string[] {
  const input = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-s',
    `${width}x${height}`,
    '-r',
    String(fps),
    '-i',
    'pipe:0'
  ]
  const even = 'pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv'
  const color = [
    '-colorspace',
    'bt709',
    '-color_primaries',
    'bt709',
    '-color_trc',
    'bt709',
    '-color_range',
    'tv'
  ]
  const encode = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-pix_fmt', 'yuv420p']
  return [
    '-v',
    'error',
    ...input,
    '-vf',
    even,
    ...encode,
    ...color,
    '-movflags',
    '+faststart',
    '-f',
    'mp4',
    '-y',
    `file:${partPath}`
  ]
}

function videoWriter(tool: MediaTool, videoPath: string, partPath: string, frameBytes: number): VideoWriter {
  let state: 'open' | 'closed' | 'aborted' = 'open'
  const { stdin } = tool.child
  const failed = (code: number | null) =>
    new LeadlineError(
      'INTERNAL',
      `ffmpeg could not write ${path.basename(videoPath)} (exit code ${code}): ${tool.complaint().split('\n').at(-1)}`
    )
  return {
    async write(rgb) {
      if (rgb.byteLength !== frameBytes) {
        throw new LeadlineError(
          'INTERNAL',
          `A video frame has ${rgb.byteLength} bytes instead of ${frameBytes}`
        )
      }
      if (state !== 'open' || stdin === null)
        throw new LeadlineError('INTERNAL', `The video writer is ${state}`)
      if (tool.child.exitCode !== null) throw failed(tool.child.exitCode)
      if (stdin.write(rgb)) return
      const ended = await Promise.race([
        once(stdin, 'drain').then(() => null),
        tool.exited.then((code) => ({ code }))
      ])
      if (ended !== null) throw failed(ended.code)
    },
    async close() {
      if (state !== 'open') return
      state = 'closed'
      stdin?.end()
      const code = await tool.exited
      if (code === 0) return rename(partPath, videoPath)
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
