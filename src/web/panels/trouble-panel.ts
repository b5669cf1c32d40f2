import { LeadlineError } from '../../client/index.ts'
import { errorTitles } from '../../error-titles.ts'
import { part } from '../dom.ts'
import { SourceTrouble } from '../sources/source-trouble.ts'

/** What went wrong, and what to do next. */
export class TroublePanel {
  readonly #panel = part('trouble', HTMLElement)
  readonly #welcome = part('welcome', HTMLElement)
  readonly #title = part('trouble-title', HTMLElement)
  readonly #detail = part('trouble-detail', HTMLElement)
  readonly #remedy = part('trouble-remedy', HTMLElement)

  show(error: unknown): void {
    const [title, detail, remedy] = wordsOf(error)
    this.#title.textContent = title
    this.#detail.textContent = detail
    this.#remedy.textContent = remedy
    this.#panel.hidden = false
    this.#welcome.hidden = true
  }

  hide(): void {
    this.#panel.hidden = true
    this.#welcome.hidden = false
  }
}

function wordsOf(error: unknown): readonly [title: string, detail: string, remedy: string] {
  if (error instanceof SourceTrouble) return [error.message, '', error.remedy]
  if (!(error instanceof LeadlineError)) return ['Something failed in this page', String(error), '']
  const remedy = error.isTemporary ? 'It may pass: try again in a moment.' : ''
  return [errorTitles[error.code], error.message, `${remedy} (${error.code})`.trim()]
}
