import path from 'node:path'
import { text } from 'node:stream/consumers'
import { LeadlineError } from '../errors.ts'
import { inputArguments, startMediaTool } from './media-tool.ts'

export interface VideoInfo {
  /** Pixels as shown: a rotation in the file is already applied. */
  width: number
  height: number
  /** Average frames per second. */
  fps: number
  /** null when the container does not say, as in Matroska. */
  frameCount: number | null
}

interface ProbedStream {
  width?: number
  height?: number
  avg_frame_rate?: string
  r_frame_rate?: string
  nb_frames?: string
  side_data_list?: { rotation?: number }[]
}

/** Size, rate and length of the first video track. Throws CLIP_INVALID, TOOL_MISSING. */
export async function probeVideo(videoPath: string): Promise<VideoInfo> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_streams',
    '-of',
    'json',
    ...inputArguments(videoPath)
  ]
  const tool = startMediaTool('ffprobe', args, ['ignore', 'pipe', 'pipe'], videoPath)
  const output = tool.child.stdout === null ? '' : await text(tool.child.stdout).catch(() => '')
  const code = await tool.exited
  if (code !== 0) throw notVideo(videoPath, tool.complaint())
  const stream = (JSON.parse(output) as { streams?: ProbedStream[] }).streams?.[0]
  if (!stream?.width || !stream.height) throw notVideo(videoPath, 'it has no video track')
  return describe(stream, stream.width, stream.height)
}

function describe(stream: ProbedStream, width: number, height: number): VideoInfo {
  const rotation = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0
  const sideways = Math.abs(rotation) % 180 === 90
  const count = Number(stream.nb_frames)
  return {
    width: sideways ? height : width,
    height: sideways ? width : height,
    fps: rate(stream.avg_frame_rate) ?? rate(stream.r_frame_rate) ?? 25,
    frameCount: Number.isInteger(count) && count > 0 ? count : null
  }
}

/** "30000/1001" as a number; null for "0/0", which ffprobe says when it does not know. */
function rate(fraction: string | undefined): number | null {
  const [numerator = 0, denominator = 1] = (fraction ?? '').split('/').map(Number)
  const value = numerator / denominator
  return Number.isFinite(value) && value > 0 ? value : null
}

export function notVideo(videoPath: string, reason: string): LeadlineError {
  const lastLine = reason.split('\n').at(-1) || 'ffmpeg gives no reason'
  const said = lastLine.replace(`${path.basename(videoPath)}: `, '')
  return new LeadlineError(
    'CLIP_INVALID',
    `${path.basename(videoPath)} is not a video that can be decoded: ${said}`
  )
}
