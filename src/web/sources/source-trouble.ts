import { LeadlineError } from '../../client/index.ts'
import type { SourceKind } from './source-kind.ts'

/** Why a video cannot be had, and what to do about it. */
export class SourceTrouble extends Error {
  readonly remedy: string

  constructor(what: string, remedy: string, options?: ErrorOptions) {
    super(what, options)
    this.remedy = remedy
  }
}

/** What a browser says by the name of its exception, in words. */
export function troubleOf(kind: SourceKind, error: unknown): SourceTrouble {
  if (error instanceof SourceTrouble) return error
  if (error instanceof LeadlineError)
    return new SourceTrouble('The video cannot be played', error.message, { cause: error })
  const name = error instanceof DOMException ? error.name : ''
  const [what, remedy] = (kind === 'screen' ? ofScreens[name] : ofCameras[name]) ?? [
    `The ${kind} cannot be opened`,
    String(error)
  ]
  return new SourceTrouble(what, remedy, { cause: error })
}

type Told = readonly [what: string, remedy: string]

const insecure: Told = [
  'The browser does not give its camera or screen to this page',
  'It does so for https, and for a server on this machine: open this page as http://localhost, or put TLS in front of ' +
    'the server. Files and the test clip work as they are.'
]

const ofCameras: Readonly<Record<string, Told>> = {
  SecurityError: insecure,
  NotAllowedError: [
    'The camera was not allowed',
    'Allow it for this page: the sign beside the address has the switch. Then try again.'
  ],
  NotFoundError: ['There is no camera', 'Connect one and try again, or choose a file or the test clip.'],
  NotReadableError: ['The camera is busy', 'Another program may have it. Close that and try again.'],
  AbortError: ['The camera did not start', 'Unplug it, connect it again, and try again.']
}

const ofScreens: Readonly<Record<string, Told>> = {
  SecurityError: insecure,
  NotAllowedError: ['No screen was shared', 'Try again and choose a window, a tab or the whole screen.'],
  NotFoundError: ['There is no screen to share', 'Choose a camera, a file or the test clip.']
}
