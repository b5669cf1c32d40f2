import type { SessionConfig } from '../session.ts'
import type { ConnectionEvent } from './connection-event.ts'
import type { StreamHandle } from './depth-stream.ts'
import type { Dial } from './reconnect.ts'

/** What a stream is opened with, every default chosen. */
export interface StreamSetup {
  dial: Dial
  config: SessionConfig
  /** What the session goes on from; null: nothing. */
  context: Uint8Array | null
  /** A session that another stream left, or lost; undefined: a new one. */
  resume: StreamHandle | undefined
  readAhead: number | undefined
  isResumable: boolean
  /** Of frames without outcome. */
  keepBytes: number
  /** Of frames with one. */
  replayBytes: number
  onConnection: (event: ConnectionEvent) => void
  /** Numbers in [0, 1). */
  random: () => number
}
