import { part } from '../dom.ts'
import type { Latency, Statistics } from '../live/statistics.ts'

/** From the ground up, with how much of the accent each has. */
const layers = [
  ['compute', 1],
  ['queue', 0.6],
  ['network', 0.3]
] as const

/** How fast it goes: two figures, and a column for each of the last frames. */
export class SpeedPanel {
  readonly #graph = part('graph', HTMLCanvasElement)
  #isDue = false

  /** Soon, and once for however many frames came meanwhile. */
  show(statistics: Statistics): void {
    if (this.#isDue) return
    this.#isDue = true
    requestAnimationFrame(() => {
      this.#isDue = false
      this.#write(statistics)
      this.#draw(statistics.shown)
    })
  }

  #write(statistics: Statistics): void {
    const summary = statistics.summary(performance.now())
    const latency = summary?.latency
    const whole = latency && latency.network + latency.queue + latency.compute
    write('fps', summary?.framesPerSecond.toFixed(1))
    write('latency', milliseconds(whole))
    for (const [name] of layers) write(name, milliseconds(latency?.[name]))
    this.#graph.ariaLabel = latency
      ? `Latency of the last frames, ${milliseconds(whole)} in the middle: network ${milliseconds(latency.network)}, ` +
        `queue ${milliseconds(latency.queue)}, compute ${milliseconds(latency.compute)}`
      : 'Latency of the last frames'
  }

  #draw(frames: readonly Latency[]): void {
    const { width, height } = this.#graph
    const context = this.#graph.getContext('2d')!
    context.clearRect(0, 0, width, height)
    context.fillStyle = getComputedStyle(this.#graph).color
    const most = Math.max(1, ...frames.map(({ network, queue, compute }) => network + queue + compute))
    const step = width / 120
    frames.forEach((frame, i) => {
      let top = height
      for (const [name, opacity] of layers) {
        const tall = (frame[name] / most) * height
        top -= tall
        context.globalAlpha = opacity
        context.fillRect(width - (frames.length - i) * step, top, step - 1, tall)
      }
    })
    context.globalAlpha = 1
  }
}

function write(id: string, text: string | undefined): void {
  part(id, HTMLElement).textContent = text ?? '–'
}

function milliseconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${Math.round(value)} ms`
}
