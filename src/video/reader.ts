import path from 'node:path'
import type { Size } from '../maps/bilinear.ts'
import { LeadlineError } from '../errors.ts'
import { decoderLogLevel, decoderMessage, timeFilters } from './decoder-message.ts'
import { FrameClock } from './frame-clock.ts'
import { frameDurationUs } from './frame-duration.ts'
import { frameSync } from './frame-sync.ts'
import { FrameTally } from './frame-tally.ts'
import { inputArguments, startMediaTool } from './media-tool.ts'
import { pictureFilters } from './picture-filters.ts'
import { notVideo, probeTrack } from './probe.ts'
import { ReadingLog } from './reading-log.ts'
import { soon } from './soon.ts'
import type { VideoWarning } from './video-warning.ts'

/** A decoder that gives nothing for so long will not end. */
const maxFrameMs = 120_000

/** RGB, uint8, height x width x 3, row by row. */
export interface RgbPicture {
  rgb: Uint8Array
  width: number
  height: number
}

export interface VideoFrame extends RgbPicture {
  /** On the file's own clock, in whole microseconds: never negative, and later than the frame before. */
  timestampUs: number
}

export type { Size }

/**
 * Every frame of the first video track, in order, none doubled or left out, scaled to `size` (default: as it is) and
 * upright. Decoding runs no further ahead than the pipe holds; leaving the loop ends ffmpeg. Each frame is the caller's.
 * What could be decoded comes; `onWarnings` is told at the end what is wrong with it.
 * Throws TOOL_MISSING, and CLIP_INVALID when it is no video, or when the decoder fails or gives nothing for long.
 */
export async function* readVideo(
  videoPath: string,
  size?: Size,
  onWarnings: (warnings: VideoWarning[]) => void = () => undefined
): AsyncGenerator<VideoFrame, void, undefined> {
  const track = await probeTrack(videoPath)
  const { width, height } = size ?? track.info
  const filters = `${pictureFilters(track.picture, { width, height })},${timeFilters}`
  const input = ['-v', decoderLogLevel, '-nostats', '-nostdin', '-copyts', ...inputArguments(videoPath)]
  const output = [
    '-map',
    '0:V:0',
    '-vf',
    filters,
    ...(await frameSync()),
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24'
  ]
  const log = new ReadingLog()
  const tool = startMediaTool('ffmpeg', [...input, ...output, 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    videoPath,
    onLine: (line) => log.add(decoderMessage(line))
  })
  const clock = new FrameClock(frameDurationUs(track.info.fps))
  const tally = new FrameTally()
  try {
    if (tool.child.stdout === null) return
    const pieces = soon(tool.child.stdout, maxFrameMs, () => tool.child.kill('SIGKILL'))
    for await (const rgb of framesOf(pieces, width * height * 3)) {
      const timestampUs = clock.next(await log.nextStamp())
      tally.add(timestampUs)
      yield { rgb, width, height, timestampUs }
    }
    const code = await tool.exited
    if (tally.count === 0) throw notVideo(videoPath, tool.complaint())
    const missing = log.isDamaged ? Math.max(0, (track.info.frameCount ?? 0) - tally.count) : 0
    if (code !== 0)
      throw breaksOff(videoPath, { count: tally.count, expected: track.info.frameCount }, tool.complaint())
    onWarnings(log.warnings(tally.count, { missing, isCut: tally.endsEarly(track.durationUs) }))
  } finally {
    tool.child.kill('SIGKILL')
    await tool.exited
  }
}

async function* framesOf(
  pieces: AsyncIterable<Uint8Array>,
  frameBytes: number
): AsyncGenerator<Uint8Array, void, undefined> {
  let frame = new Uint8Array(frameBytes)
  let filled = 0
  for await (const chunk of pieces) {
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

function breaksOff(
  videoPath: string,
  { count, expected }: { count: number; expected: number | null },
  complaint: string
): LeadlineError {
  return new LeadlineError(
    'CLIP_INVALID',
    `${path.basename(videoPath)} breaks off: ${count} of ${expected ?? 'an unknown number of'} frames could be read; ` +
      `the file is cut short or damaged (${complaint})`
  )
}
