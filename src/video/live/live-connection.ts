import type { Size } from '../../maps/bilinear.ts'
import { decoderLogLevel, decoderMessage, timeFilters } from '../decoder-message.ts'
import { frameSync } from '../frame-sync.ts'
import { startMediaTool } from '../media-tool.ts'
import type { VideoFrame } from '../reader.ts'
import { ReadingLog } from '../reading-log.ts'
import { soon } from '../soon.ts'
import { liveArguments } from './live-arguments.ts'
import type { LiveClock } from './live-clock.ts'
import { ppmPictures } from './ppm-pictures.ts'
import type { LiveAddress } from './source-address.ts'

/** A source that shows nothing for so long is taken for lost. Segments of HLS come every ten seconds or less. */
const silenceMs = 15_000
/** Square pixels, by the wider side, where no size is known yet; colours are those that the source names. */
const filters = (size: Size | null): string =>
  `scale=${size === null ? 'round(iw*sar):ih' : `${size.width}:${size.height}`}:flags=bicubic+accurate_rnd+full_chroma_int,` +
  `setsar=1,${timeFilters}`

/** How a connection ended. */
export interface ConnectionEnd {
  /** Nothing is missing: it was a file, or whoever wrote it closed it. */
  isWhole: boolean
  /** For people. */
  reason: string
}

/**
 * The frames of one connection to a source, scaled to `size`; null: as its first one is. Ends with the source, when nothing comes
 * for long, and with the signal; then says how. Throws TOOL_MISSING.
 */
export async function* liveConnection(
  address: LiveAddress,
  { size, clock, signal }: { size: Size | null; clock: LiveClock; signal: AbortSignal }
): AsyncGenerator<VideoFrame, ConnectionEnd, undefined> {
  const log = new ReadingLog()
  const facts = { hasLength: false, hasTimes: true, isSilent: false }
  const input = ['-v', decoderLogLevel, '-nostats', '-copyts', ...liveArguments(address)]
  const output = ['-map', '0:V:0', '-vf', filters(size), ...(await frameSync())]
  const pictures = ['-c:v', 'ppm', '-pix_fmt', 'rgb24', '-f', 'image2pipe', 'pipe:1']
  const noInput = address.kind === 'pipe' ? [] : ['-nostdin']
  const tool = startMediaTool('ffmpeg', [...noInput, ...input, ...output, ...pictures], {
    stdio: [address.kind === 'pipe' ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    onLine(line) {
      if (/^\[info\] +Duration: \d/.test(line)) facts.hasLength = true
      // Pictures one after the other, which ffmpeg numbers as if there were 25 a second.
      if (/^\[info\] Input #0, (mpjpeg|mjpeg|jpeg_pipe|image2)/.test(line)) facts.hasTimes = false
      log.add(decoderMessage(line))
    }
  })
  const kill = () => tool.child.kill('SIGKILL')
  signal.addEventListener('abort', kill)
  clock.reconnect()
  try {
    if (tool.child.stdout !== null && !signal.aborted) {
      const pieces = soon(tool.child.stdout, silenceMs, () => {
        facts.isSilent = true
        kill()
      })
      for await (const picture of ppmPictures(pieces)) {
        const stampUs = await log.nextStamp()
        yield { ...picture, timestampUs: clock.next(facts.hasTimes ? stampUs : null, performance.now()) }
      }
    }
    const code = await tool.exited
    if (facts.isSilent) return { isWhole: false, reason: `no picture for ${silenceMs / 1000} s` }
    const isOver = code === 0 && (facts.hasLength || address.kind === 'pipe')
    return { isWhole: isOver, reason: tool.complaint() || 'it ended' }
  } finally {
    signal.removeEventListener('abort', kill)
    kill()
    await tool.exited
  }
}
