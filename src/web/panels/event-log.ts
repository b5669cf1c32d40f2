import type { ConnectionEvent } from '../../client/index.ts'
import { part } from '../dom.ts'

const maxLines = 50

/** What is left of a session's past, in words. */
const past = {
  exact: 'as if nothing had happened',
  rebuilt: 'its past made anew from the last frames',
  new: 'without its past'
} as const

/** What became of the connection, newest first. */
export class EventLog {
  readonly #list = part('log', HTMLElement)

  tell(text: string, word?: string): void {
    this.#list.querySelector('.none')?.remove()
    const line = document.createElement('li')
    const time = document.createElement('time')
    time.textContent = new Date().toLocaleTimeString()
    line.append(time)
    if (word !== undefined) {
      const strong = document.createElement('b')
      strong.textContent = word
      line.append(strong, ' – ')
      line.dataset['word'] = word
    }
    line.append(text)
    this.#list.prepend(line)
    while (this.#list.children.length > maxLines) this.#list.lastElementChild?.remove()
  }

  tellOfConnection(event: ConnectionEvent): void {
    switch (event.type) {
      case 'lost':
        return this.tell(`${event.error.message}. Trying again for ${seconds(event.graceMs)}`, 'cut')
      case 'resumed':
        return this.tell(
          `back after ${seconds(event.ms)}, ${past[event.continuity]}; ${event.resent} frames sent again`,
          event.continuity
        )
      case 'recovered':
        return this.tell(`the server goes on ${past[event.continuity]}${stayed(event)}`, event.continuity)
      case 'advice':
        return this.tell(
          event.fps === null
            ? 'the server takes as many frames as come again'
            : `the server takes ${event.fps} frames a second; others are left out before they are sent`,
          'advice'
        )
      case 'goAway':
        return this.tell(`the server leaves in ${seconds(event.timeLeftMs)}; moving to another`)
      case 'parked':
        return this.tell('the session left the device; the next frame brings it back', 'parked')
      case 'failed':
        return this.tell(event.error.message, 'ended')
      case 'held':
      case 'notice':
    }
  }
}

/** How far depth is from that before, where it could be compared. */
function stayed({ alignment }: Extract<ConnectionEvent, { type: 'recovered' }>): string {
  return alignment === undefined ? '' : `; depth differs by ${(100 * alignment.residual).toFixed(1)} %`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
