import { Piscina } from 'piscina'
import { entryBeside } from '../../machine/entry-beside.ts'
import type { MapTask, RenderedMap } from '../../depth-files/index.ts'

/**
 * `renderMap` on a thread beside the event loop: refining a map of 1920 x 1080 takes tens of milliseconds. One thread, since
 * the maps of a clip come one by one. Whoever made it closes it.
 */
export class MapRenderer {
  readonly #thread: Piscina<MapTask, RenderedMap>

  constructor() {
    const { path, execArgv } = entryBeside(import.meta.url, 'render-thread')
    this.#thread = new Piscina({ filename: path, execArgv, maxThreads: 1, minThreads: 1 })
  }

  /** The depth is moved, and gone here. */
  render(task: MapTask): Promise<RenderedMap> {
    const { depth, picture } = task
    // A copy: the picture is shown as well, and may be part of larger memory, all of which would go along.
    const own = picture && { ...picture, rgb: Uint8Array.from(picture.rgb) }
    const transferList = [depth.buffer as ArrayBuffer, ...(own ? [own.rgb.buffer] : [])]
    return this.#thread.run({ ...task, picture: own }, { transferList })
  }

  /** Twice without harm. */
  close(): Promise<void> {
    return this.#thread.close()
  }
}
