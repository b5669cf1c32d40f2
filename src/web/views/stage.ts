import { drawDepth } from '../../client/index.ts'
import type { DrawDepthOptions } from '../../client/index.ts'
import { part } from '../dom.ts'
import type { ShownFrame } from '../live/live-run.ts'
import { DisplayRange } from './display-range.ts'
import { Legend } from './legend.ts'
import type { PointCloud } from './point-cloud.ts'

export type ViewName = 'side-by-side' | 'colour' | 'grey' | 'cloud'

/** Where picture and depth are shown, in one of several ways. */
export class Stage {
  readonly range = new DisplayRange()
  readonly #place = part('stage', HTMLElement)
  readonly #picture = part('picture', HTMLCanvasElement)
  readonly #depth = part('depth', HTMLCanvasElement)
  readonly #legend = new Legend()
  readonly #cloudCanvas = part('cloud', HTMLCanvasElement)
  /** Made when it is first asked for: it brings a library that is larger than the rest of the page. */
  #cloud: Promise<PointCloud> | null = null
  #fovDegrees = 60
  #colormap: NonNullable<DrawDepthOptions['colormap']> = 'turbo'
  #view: ViewName = 'side-by-side'
  #last: ShownFrame['depth'] | null = null

  /** Rejects where the view cannot be shown. */
  async setView(view: ViewName): Promise<void> {
    if (view === 'cloud') await (this.#cloud ??= this.#makeCloud())
    this.#view = view
    this.#place.dataset['view'] = view
    this.#redraw()
  }

  set colormap(colormap: NonNullable<DrawDepthOptions['colormap']>) {
    this.#colormap = colormap
    this.#redraw()
  }

  /** Horizontal, of the camera; for the points in space. */
  set fovDegrees(degrees: number) {
    this.#fovDegrees = degrees
    this.#redraw()
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

  /**
   * Draw what is seen onto another canvas: as large as it fits the picture, or into the size that the canvas has. What lies side
   * by side does so there.
   */
  paint(canvas: HTMLCanvasElement, size: 'as it fits' | 'as before'): void {
    const shown = {
      'side-by-side': [this.#picture, this.#depth],
      ...{ colour: [this.#depth], grey: [this.#depth], cloud: [this.#cloudCanvas] }
    }[this.#view]
    const { width, height } = this.#picture
    if (size === 'as it fits') Object.assign(canvas, { width: width * shown.length, height })
    const context = canvas.getContext('2d')!
    const each = canvas.width / shown.length
    shown.forEach((part, i) => context.drawImage(part, i * each, 0, each, canvas.height))
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
    if (this.#view !== 'cloud') return
    const { ends } = options
    void this.#cloud?.then((cloud) => cloud.show(depth, { ends, fovDegrees: this.#fovDegrees }))
  }

  async #makeCloud(): Promise<PointCloud> {
    const { PointCloud } = await import('./point-cloud.ts')
    return new PointCloud(this.#cloudCanvas, this.#picture)
  }
}
