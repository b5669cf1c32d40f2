import type { LeadlineError } from '../../errors.ts'
import type { SessionCommand } from '../link.ts'
import type { MailboxCommand } from './link-message.ts'
import type { MailboxWriter } from './mailbox-writer.ts'

type OpenCommand = Extract<SessionCommand, { type: 'open' }>

/**
 * Sends a session's commands in order although `open` takes another way: what is sent meanwhile waits until it is on its
 * way, so that nothing overtakes it.
 */
export class Opening {
  readonly #sendOpen: (command: OpenCommand) => Promise<void>
  readonly #writer: MailboxWriter
  readonly #onFailure: (error: LeadlineError) => void
  #open: OpenCommand | null = null
  #held: MailboxCommand[] | null = null
  #isReminded = false

  constructor(
    sendOpen: (command: OpenCommand) => Promise<void>,
    { writer, onFailure }: { writer: MailboxWriter; onFailure: (error: LeadlineError) => void }
  ) {
    this.#sendOpen = sendOpen
    this.#writer = writer
    this.#onFailure = onFailure
  }

  send(command: SessionCommand): void {
    if (command.type !== 'open') {
      if (this.#held) this.#held.push(command)
      else this.#writer.send(command)
      return
    }
    this.#open = command
    this.#held = []
    this.#sendOpen(command).then(
      () => {
        for (const held of this.#held ?? []) this.#writer.send(held)
        this.#held = null
      },
      (error: LeadlineError) => this.#onFailure(error)
    )
  }

  /**
   * Nothing has come of it yet: it may have been lost, and a second one does no harm. One that brings a context may be of 64
   * MiB, and is sent again only once: a Redis that forgot it has most likely forgotten its row, too, and a worker that is
   * slow to open it would get one after the other.
   */
  remind(): void {
    if (!this.#open || this.#held || (this.#open.past && this.#isReminded)) return
    this.#isReminded = true
    this.#sendOpen(this.#open).catch(() => {})
  }
}
