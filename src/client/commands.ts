import type { ClientMessage } from '../wire/protocol.ts'

export type Command = Extract<
  ClientMessage,
  { type: 'flush' | 'reset' | 'update' | 'checkpoint' | 'detach' | 'close' }
>

interface Placed {
  command: Command
  /** It was said before the frame with this seq. */
  before: number
}

/** What was said between frames and has no answer yet: it is said again over another socket, in its place. */
export class Commands {
  #pending: Placed[] = []
  /** The last update that was answered: a server whose worker was lost may not know of it. */
  #inForce: Placed | null = null

  add(command: Command, before: number): void {
    this.#pending.push({ command, before })
  }

  answered(type: 'flush' | 'update' | 'checkpoint', id: string): void {
    this.#pending = this.#pending.filter((placed) => {
      const { command } = placed
      if (command.type !== type || command.id !== id) return true
      if (type === 'update') this.#inForce = { command, before: 0 }
      return false
    })
  }

  /** Resets are answered in the order they were said. */
  reset(): void {
    const first = this.#pending.findIndex(({ command }) => command.type === 'reset')
    if (first >= 0) this.#pending.splice(first, 1)
  }

  /**
   * What to say to a server that has every frame up to `after`. A reset before one of them was heard; anything
   * else may be said twice without harm.
   */
  unheard(after: number): readonly Placed[] {
    const unheard = this.#pending.filter(({ command, before }) => command.type !== 'reset' || before > after)
    return this.#inForce ? [this.#inForce, ...unheard] : unheard
  }
}
