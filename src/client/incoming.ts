import { flags, type ValidFrame } from '../wire/frame.ts'
import type { ServerMessage } from '../wire/protocol.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { ConnectionEvent } from './connection-event.ts'
import { depthResult } from './depth-result.ts'
import type { Flushes } from './flushes.ts'
import type { Outcome } from './outcome.ts'
import type { Receipts } from './receipts.ts'
import type { ReplayRing } from './replay-ring.ts'
import { serverFailure } from './server-failure.ts'
import type { Upstream } from './upstream.ts'

export interface IncomingOptions {
  up: Upstream
  receipts: Receipts
  ring: ReplayRing
  flushes: Flushes
  checkpoints: Checkpoints
  onConnection: (event: ConnectionEvent) => void
  /** A frame has its outcome. */
  onSettled(): void
  /** The stream was closed, and all is here. */
  onSummary(): void
  /** The session is kept for another stream. */
  onDetached(): void
}

/** What an open stream hears from its server, brought to whom it concerns. */
export class Incoming {
  readonly #options: IncomingOptions

  constructor(options: IncomingOptions) {
    this.#options = options
  }

  control(message: ServerMessage): void {
    const { up, flushes, checkpoints, onConnection, onDetached, onSummary } = this.#options
    if (message.type === 'flushed' || message.type === 'updated') {
      up.answered(message.type === 'flushed' ? 'flush' : 'update', message.id)
      flushes.answered(message.id)
    }
    if (message.type === 'checkpoint') checkpoints.told(message)
    if (message.type === 'reset') this.#onReset(message)
    if (message.type === 'recovered') this.#onRecovered(message)
    if (message.type === 'advice') up.pace(message.fps)
    if (['notice', 'parked', 'advice', 'recovered'].includes(message.type))
      onConnection(message as ConnectionEvent)
    if (message.type === 'drop') {
      const { seq, reason } = message
      this.#settle(seq, (latencyMs) => ({ type: 'drop', seq, latencyMs, reason }))
    }
    if (message.type === 'error' && message.seq !== undefined) {
      const { seq } = message
      const error = serverFailure(message)
      this.#settle(seq, (latencyMs) => ({ type: 'error', seq, latencyMs, error }))
    }
    if (message.type === 'summary') onSummary()
    if (message.type === 'detached') onDetached()
  }

  depth({ header, payload }: ValidFrame): void {
    const { up, receipts, ring } = this.#options
    const { seq, epoch } = header
    const isBlank = (header.flags & flags.blank) !== 0
    const frame = up.frame(seq)
    if (frame !== null && !isBlank) ring.push(frame)
    receipts.epoch = epoch
    receipts.arrived()
    const isHeard = this.#settle(seq, (latencyMs) => depthResult({ header, payload }, latencyMs))
    if (!isHeard) receipts.passedOver()
  }

  #onReset({ epoch, reason }: Extract<ServerMessage, { type: 'reset' }>): void {
    const { up, receipts, ring } = this.#options
    if (reason === 'client') up.wasReset()
    receipts.epoch = epoch
    ring.clear()
  }

  #onRecovered({ continuity, epoch }: Extract<ServerMessage, { type: 'recovered' }>): void {
    const { receipts, ring } = this.#options
    receipts.epoch = epoch
    if (continuity === 'new') ring.clear()
  }

  #settle(seq: number, outcome: (latencyMs: number) => Outcome): boolean {
    const { up, receipts, onSettled } = this.#options
    receipts.received(seq)
    const isHeard = up.settle(seq, outcome)
    onSettled()
    return isHeard
  }
}
