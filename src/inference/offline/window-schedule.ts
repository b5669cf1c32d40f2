import type { Slice } from '../engine/taken-slice.ts'
import { windowStages } from '../latents/window-values.ts'
import { VDA_WINDOW } from '../latents/window.ts'

/**
 * The frames of a window that the next one takes over, by place, to its own first places: the clip's first frame, one
 * in the middle, and the last eight. ("Video Depth Anything", arXiv 2501.12375.)
 */
export const keyframes = [0, 12, 24, 25, 26, 27, 28, 29, 30, 31] as const

/**
 * The order of slices of a clip's windows: new frames as they come, in the order of their places, then stage after stage
 * for every frame, in the same order. Pure: it holds no frame. The first window takes 32 frames, each later one 22, and
 * the ten it takes over stay where they lie, with what stage 0 made of them.
 */
export class WindowSchedule {
  #places: Int32Array = Int32Array.from({ length: VDA_WINDOW }, (_, slot) => slot)
  /** Of the next slice. */
  #stage = 0
  #place = 0
  /** Place of the first frame that is new in this window. */
  #firstNew = 0

  /** Whether the next slice takes in a new frame. */
  get wantsFrame(): boolean {
    return this.#stage === 0
  }

  /** Whether the present window has taken in a frame. */
  get isBegun(): boolean {
    return this.#stage > 0 || this.#place > this.#firstNew
  }

  /** The next slice, and the place of its frame. It counts as run; after a window's last slice the next one begins. */
  take(): Slice & { place: number } {
    const place = this.#place
    const slice = { stage: this.#stage, slot: this.#places.indexOf(place), places: this.#places, place }
    this.#advance()
    return slice
  }

  #advance(): void {
    this.#place += 1
    if (this.#place < VDA_WINDOW) return
    this.#stage += 1
    this.#place = 0
    if (this.#stage === windowStages) this.#startNext()
  }

  #startNext(): void {
    this.#places = nextPlaces(this.#places)
    this.#stage = 0
    this.#place = this.#firstNew = keyframes.length
  }
}

function nextPlaces(places: Int32Array): Int32Array {
  const kept = new Map<number, number>(keyframes.map((place, newPlace) => [place, newPlace]))
  let free = keyframes.length
  return places.map((place) => kept.get(place) ?? free++)
}
