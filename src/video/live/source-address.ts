import { LeadlineError } from '../../errors.ts'

/** Where frames come from that are not those of a file. */
export type LiveAddress =
  | { kind: 'rtsp'; url: string }
  /** MJPEG, HLS, or a video file on a web server. */
  | { kind: 'http'; url: string }
  /** A camera that is known to the kernel by Video4Linux. */
  | { kind: 'camera'; device: string }
  /** Standard input: a container that can be read without seeking. */
  | { kind: 'pipe' }

const kinds: Readonly<Record<string, 'rtsp' | 'http'>> = {
  rtsp: 'rtsp',
  rtsps: 'rtsp',
  http: 'http',
  https: 'http'
}

/** What a source is by its spelling alone; null: a path. Throws REQUEST_INVALID for an address of another kind. */
export function liveAddress(text: string): LiveAddress | null {
  if (text === '-') return { kind: 'pipe' }
  if (/^\/dev\/video\d+$/.test(text)) return { kind: 'camera', device: text }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return null
  const kind = kinds[scheme]
  if (kind === undefined)
    throw new LeadlineError(
      'REQUEST_INVALID',
      `${bareAddress(text)}: ${scheme}:// cannot be read; what can are files, folders of images, rtsp://, rtsps://, http://, ` +
        'https://, /dev/video0 and - (standard input), into which ffmpeg writes anything else (ffmpeg -i … -f nut - | leadline stream -)'
    )
  if (!URL.canParse(text) || new URL(text).host === '')
    throw new LeadlineError('REQUEST_INVALID', `${bareAddress(text)} is not a whole address`)
  return { kind, url: text }
}

/** For people: an address without name, password and query, in which cameras like to have a password too. */
export function describeAddress(address: LiveAddress): string {
  switch (address.kind) {
    case 'pipe':
      return 'standard input'
    case 'camera':
      return address.device
    case 'rtsp':
    case 'http':
      return bareAddress(address.url)
  }
}

function bareAddress(url: string): string {
  // A password may hold an @ and a slash, unescaped though it should not be.
  return url.replace(/[?#].*$/s, '').replace(/^([^:]+:\/\/).*@/, '$1')
}
