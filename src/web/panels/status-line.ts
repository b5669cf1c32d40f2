import type { ConnectionEvent } from '../../client/index.ts'
import { part } from '../dom.ts'

export type State = 'idle' | 'live' | 'paused' | 'waiting' | 'trouble'

/** One line for the whole page, which a screen reader reads out. */
export class StatusLine {
  readonly #line = part('status', HTMLElement)

  say(state: State, text: string): void {
    if (this.#line.textContent === text && this.#line.dataset['state'] === state) return
    this.#line.dataset['state'] = state
    this.#line.textContent = text
  }

  sayOfConnection(event: ConnectionEvent): void {
    if (event.type === 'lost') this.say('waiting', 'Connection lost, trying again')
    if (event.type === 'resumed' || event.type === 'recovered')
      this.say('live', `Live again: ${event.continuity}`)
  }
}
