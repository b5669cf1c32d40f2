import type { ValidFrame } from '../../../wire/frame.ts'
import type { SessionEvent } from '../../../session.ts'
import type { SessionCommand } from '../../link.ts'
import { frameBytes } from './frame-ring.ts'

export type LoggedCommand = Extract<
  SessionCommand,
  { type: 'frame' | 'aside' | 'flush' | 'reset' | 'update' | 'checkpoint' }
>

/** What ends a command that has no outcome. */
export type Answer = Extract<
  SessionEvent,
  { type: 'flushed' | 'reset' | 'updated' | 'checkpoint' | 'checkpointFailed' }
>

const answeredBy = {
  ...{ flushed: 'flush', updated: 'update', checkpoint: 'checkpoint', checkpointFailed: 'checkpoint' }
} as const

/**
 * What a session was sent and has not answered, in order: what another worker has to be sent again when this one is lost.
 * Frames leave at their outcome, a flush, update or checkpoint at its answer, a reset at its own or at the first outcome behind it,
 * and so does what was told beside the frames.
 */
export class Unsettled {
  /** Frames by seq, what has none by a text. */
  readonly #commands = new Map<number | string, LoggedCommand>()
  #numOthers = 0
  #frameBytes = 0

  /** Of the frames. */
  get bytes(): number {
    return this.#frameBytes
  }

  add(command: LoggedCommand): void {
    // What it tells was told already, unless it waits for frames before it.
    if (command.type === 'aside' && this.isEmpty) return
    if (command.type === 'frame') {
      this.#frameBytes += frameBytes(command.frame)
      this.#commands.set(command.frame.header.seq, command)
    } else this.#commands.set(`other ${++this.#numOthers}`, command)
  }

  /** The frame of this outcome; null when it has one already. */
  settle(seq: number): ValidFrame | null {
    const command = this.#commands.get(seq)
    if (command?.type !== 'frame') return null
    this.#dropBefore(seq)
    this.#commands.delete(seq)
    this.#frameBytes -= frameBytes(command.frame)
    return command.frame
  }

  answered(event: Answer): void {
    if (event.type === 'reset') {
      if (event.reason === 'client') this.#dropFirst(({ type }) => type === 'reset')
      return
    }
    const answered = answeredBy[event.type]
    this.#dropFirst((command) => command.type === answered && 'id' in command && command.id === event.id)
  }

  /** In the order in which they were sent. */
  list(): LoggedCommand[] {
    return [...this.#commands.values()]
  }

  get isEmpty(): boolean {
    return this.#commands.size === 0
  }

  has(seq: number): boolean {
    return this.#commands.has(seq)
  }

  clear(): void {
    this.#commands.clear()
    this.#frameBytes = 0
  }

  #dropFirst(isIt: (command: LoggedCommand) => boolean): void {
    for (const [key, command] of this.#commands) {
      if (isIt(command)) return void this.#commands.delete(key)
    }
  }

  #dropBefore(seq: number): void {
    for (const [key, { type }] of this.#commands) {
      if (key === seq) return
      if (type === 'reset' || type === 'aside') this.#commands.delete(key)
    }
  }
}
