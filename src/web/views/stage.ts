import { drawDepth } from '../../client/index.ts'
import type { DrawDepthOptions } from '../../client/index.ts'
import { part } from '../dom.ts'
import type { ShownFrame } from '../live/live-run.ts'
import { DisplayRange } from './display-range.ts'
import { Legend } from './legend.ts'

export type ViewName = 'side-by-side' | 'colour' | 'grey'

/** Where picture and depth are shown, in one of several ways. */
export class Stage {
  readonly range = new DisplayRange()
  readonly #place = part('stage', HTMLElement)
  readonly #picture = part('picture', HTMLCanvasElement)
  readonly #depth = part('depth', HTMLCanvasElement)
  readonly #legend = new Legend()
  #colormap: NonNullable<DrawDepthOptions['colormap']> = 'turbo'
  #view: ViewName = 'side-by-side'
  #last: ShownFrame['depth'] | null = null

  set view(view: ViewName) {
    this.#view = view
    this.#place.dataset['view'] = view
    this.#redraw()
  }

  set colormap(colormap: NonNullable<DrawDepthOptions['colormap']>) {
    this.#colormap = colormap
    this.#redraw()
  }

  /** What somebody sees who looks at the depth just now. */
  get canvas(): HTMLCanvasElement {
    return this.#depth
  }

  show({ depth, picture }: ShownFrame): void {
    const { width, height } = picture
    if (this.#picture.width !== width || this.#picture.height !== height) {
      Object.assign(this.#picture, { width, height })
      this.#place.style.setProperty('--ratio', String(width / height))
    }
    this.#picture.getContext('2d')!.drawImage(picture, 0, 0)
    picture.close()
    this.#last = depth
    this.#place.dataset['content'] = 'video'
    this.#redraw()
  }

  /** Nothing is shown any more. */
  clear(): void {
    this.#last = null
    this.#place.dataset['content'] = 'nothing'
    this.#legend.hide()
  }

  #redraw(): void {
    const depth = this.#last
    if (depth === null) return
    const colormap = this.#view === 'grey' ? 'gray' : this.#colormap
    const options = { colormap, ends: this.range.endsOf(depth) }
    drawDepth(depth, this.#depth, options)
    this.#legend.show(depth, options)
  }
}
