import path from 'node:path'
import type { Readable } from 'node:stream'
import { LeadlineError } from '../errors.ts'
import type { MediaTool } from './media-tool.ts'
import { inputArguments, startMediaTool } from './media-tool.ts'
import { notVideo, probeVideo } from './probe.ts'
import type { Size } from '../bilinear.ts'

/** RGB, uint8, height x width x 3, row by row. */
export interface VideoFrame {
  rgb: Uint8Array
  width: number
  height: number
}

export type { Size }

/**
 * Every frame of the first video track, in order, none doubled or left out, scaled to `size` (default: as it is) and
 * upright. Decoding runs no further ahead than the pipe holds; leaving the loop ends ffmpeg. Each frame is the caller's.
 * Throws TOOL_MISSING, and CLIP_INVALID when it is no video or when decoding breaks off.
 */
export async function* readVideo(
  videoPath: string,
  size?: Size
): AsyncGenerator<VideoFrame, void, undefined> {
  const info = await probeVideo(videoPath)
  const { width, height } = size ?? info
  const scale = `scale=${width}:${height}:flags=bicubic+accurate_rnd+full_chroma_int`
  const args = ['-v', 'error', '-nostdin', ...inputArguments(videoPath), '-map', '0:v:0', '-vf', scale]
  args.push('-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1')
  const tool = startMediaTool('ffmpeg', args, ['ignore', 'pipe', 'pipe'], videoPath)
  let count = 0
  try {
    if (tool.child.stdout === null) return
    for await (const rgb of framesOf(tool.child.stdout, width * height * 3)) {
      count++
      yield { rgb, width, height }
    }
    await checkEnd(tool, videoPath, count, info.frameCount)
  } finally {
    tool.child.kill('SIGKILL')
    await tool.exited
  }
}

async function* framesOf(stdout: Readable, frameBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let frame = new Uint8Array(frameBytes)
  let filled = 0
  for await (const chunk of stdout as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.byteLength;) {
      const part = chunk.subarray(at, at + frameBytes - filled)
      frame.set(part, filled)
      filled += part.byteLength
      at += part.byteLength
      if (filled < frameBytes) continue
      yield frame
      frame = new Uint8Array(frameBytes)
      filled = 0
    }
  }
}

/** ffmpeg exits 0 on a truncated file; that it complained and fewer frames came than were promised gives it away. */
async function checkEnd(
  tool: MediaTool,
  videoPath: string,
  count: number,
  expected: number | null
): Promise<void> {
  const code = await tool.exited
  const complaint = tool.complaint()
  if (count === 0) throw notVideo(videoPath, complaint)
  const short = expected === null || count < expected
  if (code === 0 && !(complaint && short)) return
  throw new LeadlineError(
    'CLIP_INVALID',
    `${path.basename(videoPath)} breaks off: ${count} of ${expected ?? 'an unknown number of'} frames could be read; ` +
      `the file is cut short or damaged (${complaint.split('\n').at(-1) ?? ''})`
  )
}
