import { part } from '../dom.ts'

/** Asks for the key that the server wants. */
export class KeyPanel {
  readonly #panel = part('key', HTMLElement)
  readonly #form = part('key-form', HTMLFormElement)
  readonly #input = part('key-input', HTMLInputElement)
  readonly #note = part('key-note', HTMLElement)
  readonly #welcome = part('welcome', HTMLElement)

  constructor(onKey: (key: string) => void) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      onKey(this.#input.value.trim())
      this.#input.value = ''
    })
  }

  /** `why` is what the server says of the key that it was shown; null: it was shown none. */
  ask(why: string | null): void {
    this.#note.textContent = why ?? ''
    this.#panel.hidden = false
    this.#welcome.hidden = true
    this.#input.focus()
  }

  hide(): void {
    this.#panel.hidden = true
    this.#welcome.hidden = false
  }
}
