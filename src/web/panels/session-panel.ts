import type { ModelOffer, SessionConfig } from '../../session.ts'
import { choose, part } from '../dom.ts'

/** The one that is asked for first, first. */
const modeNames: Readonly<Record<string, string>> = {
  ovda: 'Video: remembers the frames before',
  'vda-stream': 'Video, of weights that were not trained to stream',
  single: 'Still: each frame alone'
}

/** What a session is asked for. */
export class SessionPanel {
  readonly #model = part('model', HTMLSelectElement)
  readonly #mode = part('mode', HTMLSelectElement)
  readonly #window = part('window', HTMLSelectElement)
  readonly #delivery = part('delivery', HTMLSelectElement)
  readonly #note = part('model-note', HTMLElement)
  #offers: readonly ModelOffer[] = []

  /** `onChange` is told whenever another session is wanted. */
  constructor(onChange: () => void) {
    part('session', HTMLFormElement).addEventListener('change', () => {
      this.#fill()
      onChange()
    })
  }

  set offers(offers: readonly ModelOffer[]) {
    this.#offers = offers
    const names = offers.map(({ name }) => [name, name] as const)
    // Which of several is its own the server does not say.
    choose(this.#model, names.length > 1 ? [['', 'As the server is set'], ...names] : names)
    this.#fill()
  }

  get config(): SessionConfig {
    const [model, mode, cacheSize] = [this.#model.value, this.#mode.value, Number(this.#window.value)]
    return {
      delivery: this.#delivery.value as NonNullable<SessionConfig['delivery']>,
      ...(model === '' ? {} : { model }),
      ...(mode === '' ? {} : { mode: mode as NonNullable<SessionConfig['mode']> }),
      ...(mode === 'ovda' && cacheSize > 0 ? { cacheSize } : {})
    }
  }

  #fill(): void {
    const offer = this.#offers.find(({ name }) => name === this.#model.value)
    if (offer === undefined) {
      choose(this.#mode, [])
      choose(this.#window, [])
      this.#note.textContent = ''
      return
    }
    const { modes, cacheSizes, defaultCacheSize } = offer.temporal
    const live = Object.entries(modeNames).filter(([mode]) => (modes as readonly string[]).includes(mode))
    choose(this.#mode, live)
    const isNew = this.#window.options.length === 0
    choose(
      this.#window,
      cacheSizes.map((size) => [String(size), String(size)])
    )
    if (isNew) this.#window.value = String(defaultCacheSize)
    this.#window.disabled = this.#mode.value !== 'ovda'
    this.#note.textContent = `${offer.title}. ${offer.license}${offer.nonCommercial ? ', not for commercial use' : ''}`
  }
}
