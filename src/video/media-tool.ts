import type { ChildProcess, StdioOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { LeadlineError } from '../errors.ts'

export type MediaToolName = 'ffmpeg' | 'ffprobe'

/**
 * Containers that may be opened. Playlists and concat scripts are left out: they name other files and addresses, which
 * an uploaded clip must not be able to read.
 */
const containers =
  'mov,matroska,avi,mpegts,mpeg,mpegvideo,ogg,flv,asf,gif,apng,h264,hevc,obu,ivf,m4v,mjpeg,nut,mxf,dv,yuv4mpegpipe'

/** Arguments in front of every input that comes from outside. */
export function inputArguments(videoPath: string): string[] {
  return ['-protocol_whitelist', 'file,pipe', '-format_whitelist', containers, '-i', `file:${videoPath}`]
}

export interface MediaTool {
  child: ChildProcess
  /** Resolves with the exit code (null: killed) once all output is read. Throws TOOL_MISSING when it cannot start. */
  exited: Promise<number | null>
  /** What it said on stderr so far, without the folder of `videoPath`; at most the last 4 KiB. */
  complaint(): string
}

/** Start ffmpeg or ffprobe as a child process. Whoever starts it awaits `exited`. */
export function startMediaTool(
  name: MediaToolName,
  args: readonly string[],
  stdio: StdioOptions,
  videoPath: string
): MediaTool {
  const child = spawn(name, args, { stdio, windowsHide: true })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4096)))
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(toolMissing(name, cause)))
    child.once('close', (code) => resolve(code))
  })
  exited.catch(() => undefined)
  const complaint = () => stderr.replaceAll(`file:${videoPath}`, path.basename(videoPath)).trim()
  return { child, exited, complaint }
}

function toolMissing(name: MediaToolName, cause: unknown): LeadlineError {
  return new LeadlineError(
    'TOOL_MISSING',
    `${name} cannot be started; video needs ffmpeg 5.1 or later: apt-get install ffmpeg (macOS: brew install ffmpeg)`,
    { cause }
  )
}
