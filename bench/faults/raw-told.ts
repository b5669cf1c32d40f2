import type { Continuity } from '../../src/session.ts'
import type { Line } from './picture.ts'
import type { Told } from './raw-socket.ts'

export interface Recovered {
  seq: number
  epoch: number
  continuity: Continuity
  /** Only where it is not none. */
  alignment?: Line
}

export interface Resumed {
  continuity: Continuity
  digest: string | null
  after: number
  replay?: { frames: number; bytes: number }
}

export function digestOf(message: Told): { digest?: { epoch: number; hex: string } } {
  const { epoch, digest } = message as { epoch?: number; digest?: string | null }
  return typeof digest === 'string' && epoch !== undefined ? { digest: { epoch, hex: digest } } : {}
}
