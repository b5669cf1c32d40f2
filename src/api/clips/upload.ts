import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LeadlineError } from '../../errors.ts'
import { Deadline } from '../deadline.ts'

/** An upload from which nothing comes for this long is given up, and with it its place in the queue. */
const silenceMs = 60_000

/** Write an upload to disk as it comes. Throws CLIP_TOO_LARGE as soon as it is, CLIP_INVALID when nothing comes. */
export async function saveUpload(upload: Readable, filePath: string, maxBytes: number): Promise<void> {
  let bytes = 0
  const silence = new Deadline()
  silence.set(silenceMs, () => upload.destroy(brokenOff(`nothing came for ${silenceMs} ms`)))
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      silence.putOff()
      bytes += chunk.byteLength
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      yield chunk
    }
  }
  try {
    await pipeline(upload, counted, createWriteStream(filePath))
  } catch (error) {
    throw isHangUp(error) ? brokenOff('the client hung up', error) : error
  } finally {
    silence.clear()
  }
  if (bytes === 0) throw new LeadlineError('CLIP_INVALID', 'The clip is empty; send a video')
}

function isHangUp(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

function brokenOff(why: string, cause?: unknown): LeadlineError {
  return new LeadlineError('REQUEST_INVALID', `The upload broke off: ${why}; send it again`, { cause })
}

function tooLarge(maxBytes: number): LeadlineError {
  return new LeadlineError(
    'CLIP_TOO_LARGE',
    `A clip may have ${maxBytes} bytes at most; cut it or encode it smaller`
  )
}
