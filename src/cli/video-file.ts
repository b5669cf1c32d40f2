import { stat } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../errors.ts'

/**
 * What a command is given must be a file: it is read more than once, and by its size. Throws CLIP_INVALID, which says what a
 * camera, an address or a pipe needs instead.
 */
export async function checkVideoFile(videoPath: string): Promise<void> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(videoPath)?.[1]
  if (scheme !== undefined) throw notFile(`An address (${scheme}:) is`)
  if (videoPath === '-') throw notFile('Standard input is')
  const found = await stat(videoPath).catch((cause: unknown) => {
    throw new LeadlineError('CLIP_INVALID', `${path.resolve(videoPath)} cannot be read: ${reasonOf(cause)}`, {
      cause
    })
  })
  if (!found.isFile()) throw notFile(`${videoPath} is`)
}

function notFile(what: string): LeadlineError {
  return new LeadlineError(
    'CLIP_INVALID',
    `${what} not a video file; record it into one first (ffmpeg -i … video.mp4), or give it to "leadline stream", which reads cameras, addresses and pipes`
  )
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  return code === 'EACCES' ? 'you may not' : String(code ?? error)
}
