import type { LeadlineError } from '../errors.ts'
import type { ServerMessage } from '../wire/protocol.ts'
import type { Continuity, ParkReason } from '../session.ts'

/** What becomes of a stream's connection while it lives. */
export type ConnectionEvent =
  /** The socket is gone; the stream tries to go on over another one for `graceMs`. */
  | { type: 'lost'; error: LeadlineError; graceMs: number }
  /** The stream goes on over another socket. */
  | {
      type: 'resumed'
      /** What is left of the past: `exact` is as if nothing had happened. */
      continuity: Continuity
      epoch: number
      /** Sockets that it took. */
      attempts: number
      /** For how long nothing could be sent or received. */
      ms: number
      /** Frames that were sent again: the server had not got them. */
      resent: number
      /** Frames of the past that the server asked for again, to make the latent cache anew. */
      replayed: number
    }
  /** The server leaves in a while; the stream moves to another one meanwhile. */
  | { type: 'goAway'; timeLeftMs: number }
  /**
   * The servers lost the latent cache and put another in its place; from frame `seq` on it is this one. `alignment`, where depth
   * could be compared with that before: it is multiplied by `scale` and raised by `offset`, less with each window, and
   * `residual` is the mean difference that stayed, as a share of the extent of a map.
   */
  | Extract<ServerMessage, { type: 'recovered' }>
  /** Delivery adaptive: the server takes so many frames a second, null: any. `send` keeps to it, and leaves older ones out. */
  | { type: 'advice'; fps: number | null; unsettled: number }
  /** Nothing was sent for a while, or another session needs the device: in `deadlineMs` the session leaves it. */
  | { type: 'notice'; reason: ParkReason; bytes: number; deadlineMs: number }
  /** The session has left its device, until the next frame. */
  | { type: 'parked'; reason: ParkReason; bytes: number }
  /**
   * `send` waits, with so many frames on their way, until depth maps are read: the server holds back what nobody takes. Read
   * `results` or `outcomes` while sending.
   */
  | { type: 'held'; unsettled: number }
  /** The stream is over. Reading and sending fail with the same error. */
  | { type: 'failed'; error: LeadlineError }
