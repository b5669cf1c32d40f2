import path from 'node:path'
import { text } from 'node:stream/consumers'
import type { Size } from '../maps/bilinear.ts'
import { LeadlineError } from '../errors.ts'
import { inputArguments, startMediaTool } from './media-tool.ts'
import type { PictureFacts } from './picture-facts.ts'
import { checkToneMapping, isHdr } from './tone-mapping.ts'

export interface VideoInfo {
  /** Pixels as shown: square ones, and a rotation in the file is already applied. */
  width: number
  height: number
  /** Average frames per second; null when the file does not say, or nothing that can be. */
  fps: number | null
  /** null when the container does not say, as in Matroska. */
  frameCount: number | null
}

/** The track that is read, and what reading it takes. */
export interface VideoTrack {
  info: VideoInfo
  /** null when the container does not say. */
  durationUs: number | null
  picture: PictureFacts
}

interface ProbedStream {
  width?: number
  height?: number
  sample_aspect_ratio?: string
  color_space?: string
  color_transfer?: string
  color_primaries?: string
  avg_frame_rate?: string
  nb_frames?: string
  duration?: string
  side_data_list?: { rotation?: number }[]
}

const maxProbeMs = 60_000
/** No camera's video has more. Above it are ticks of a clock, which stand where a rate is not known. */
const maxFps = 480
/** Of a pixel's width to its height; what is stretched more is taken for a fault of the file. */
const maxAspect = 8
/** A frame's header holds a side in 16 bits. */
const maxSide = 65_535

/** Size, rate and length of the first video track. Throws CLIP_INVALID, TOOL_MISSING. */
export async function probeVideo(videoPath: string): Promise<VideoInfo> {
  return (await probeTrack(videoPath)).info
}

/** As `probeVideo`. A cover picture is no video track. */
export async function probeTrack(videoPath: string): Promise<VideoTrack> {
  const wanted = ['-select_streams', 'V:0', '-show_streams', '-of', 'json']
  const args = ['-v', 'error', ...wanted, ...inputArguments(videoPath)]
  const tool = startMediaTool('ffprobe', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    videoPath,
    cpuSeconds: maxProbeMs / 1000
  })
  // Some files make it read and seek for ever.
  const late = setTimeout(() => tool.child.kill('SIGKILL'), maxProbeMs)
  const output = tool.child.stdout === null ? '' : await text(tool.child.stdout).catch(() => '')
  const code = await tool.exited.finally(() => clearTimeout(late))
  if (code === null) throw notVideo(videoPath, 'reading its head takes too long, or too much memory')
  if (code !== 0) throw notVideo(videoPath, tool.complaint())
  const stream = (JSON.parse(output) as { streams?: ProbedStream[] }).streams?.[0]
  if (!stream?.width || !stream.height) throw notVideo(videoPath, 'it has no video track')
  const track = describe(stream, { width: stream.width, height: stream.height })
  if (isHdr(track.picture)) await checkToneMapping(track.picture)
  return track
}

function describe(stream: ProbedStream, coded: Size): VideoTrack {
  const rotation = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0
  const { width, height } = squared(coded, ratio(stream.sample_aspect_ratio, ':'))
  const isSideways = Math.abs(rotation) % 180 === 90
  const fps = ratio(stream.avg_frame_rate, '/')
  const count = Number(stream.nb_frames)
  const seconds = Number(stream.duration)
  return {
    info: {
      ...(isSideways ? { width: height, height: width } : { width, height }),
      fps: fps !== null && fps <= maxFps ? fps : null,
      frameCount: Number.isInteger(count) && count > 0 ? count : null
    },
    durationUs: seconds > 0 ? seconds * 1e6 : null,
    picture: {
      coded,
      matrix: said(stream.color_space),
      transfer: said(stream.color_transfer),
      primaries: said(stream.color_primaries)
    }
  }
}

/** The size with square pixels: one side grows, so that no detail is lost. */
function squared({ width, height }: Size, aspect: number | null): Size {
  if (aspect === null || aspect > maxAspect || aspect < 1 / maxAspect) return { width, height }
  const wide = Math.round(width * Math.max(1, aspect))
  const high = Math.round(height * Math.max(1, 1 / aspect))
  return Math.max(wide, high) > maxSide ? { width, height } : { width: wide, height: high }
}

/** "30000/1001" or "64:45" as a number; null for "0/0" and the like, which ffprobe says when it does not know. */
function ratio(fraction: string | undefined, sign: '/' | ':'): number | null {
  const [numerator = 0, denominator = 1] = (fraction ?? '').split(sign).map(Number)
  const value = numerator / denominator
  return Number.isFinite(value) && value > 0 ? value : null
}

function said(property: string | undefined): string | null {
  return property === undefined || ['unknown', 'unspecified', 'reserved'].includes(property) ? null : property
}

export function notVideo(videoPath: string, reason: string): LeadlineError {
  const said = (reason || 'ffmpeg gives no reason').replace(`${path.basename(videoPath)}: `, '')
  return new LeadlineError(
    'CLIP_INVALID',
    `${path.basename(videoPath)} is not a video that can be decoded: ${said}`
  )
}
