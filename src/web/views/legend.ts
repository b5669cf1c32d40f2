import { drawDepth } from '../../client/index.ts'
import type { DrawDepthOptions, ShownDepth } from '../../client/index.ts'
import { part } from '../dom.ts'

/** What the colours mean: which end is near, with which values, in which unit. */
export class Legend {
  readonly #place = part('legend', HTMLElement)
  readonly #colours = part('legend-colours', HTMLCanvasElement)
  readonly #near = part('legend-near', HTMLElement)
  readonly #far = part('legend-far', HTMLElement)
  readonly #unit = part('legend-unit', HTMLElement)
  #colormap: DrawDepthOptions['colormap'] | null = null

  show({ header }: ShownDepth, { colormap, ends }: Required<DrawDepthOptions>): void {
    const isMetric = header.quantity === 'metric-depth'
    const unit = isMetric ? ' m' : ''
    this.#near.textContent = `near ${figure(ends.near)}${unit}`
    this.#far.textContent = `far ${figure(ends.far)}${unit}`
    this.#unit.textContent = isMetric
      ? 'Distance from the camera, in metres'
      : 'Relative inverse depth: larger is nearer, without a unit'
    this.#place.hidden = false
    if (this.#colormap === colormap) return
    this.#colormap = colormap
    drawDepth(ramp, this.#colours, { colormap, ends: { far: 0, near: 1 } })
  }

  hide(): void {
    this.#place.hidden = true
  }
}

const ramp: ShownDepth = {
  header: { width: 256, height: 1, rangeMin: 0, rangeMax: 1, quantity: 'none' },
  values: () => Float32Array.from({ length: 256 }, (_, i) => i / 255)
}

function figure(value: number): string {
  return value.toPrecision(3)
}
