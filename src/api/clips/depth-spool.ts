import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { LeadlineError } from '../../errors.ts'
import { flags } from '../../frame.ts'
import type { Header } from '../../frame.ts'
import type { Size } from '../../video/index.ts'

/** What of a depth map's header is kept. */
type SpooledLabels = Pick<
  Header,
  'flags' | 'width' | 'height' | 'timestampUs' | 'quantity' | 'rangeMin' | 'rangeMax'
>

export interface SpooledDepth {
  depth: Float32Array
  /** The range that a display of this map should use, by its header. */
  display: DepthRange
  /** Of its frame, on the file's clock. */
  timestampUs: number
}

interface DepthRange {
  min: number
  max: number
}

const nothing: DepthRange = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }

/**
 * A clip's depth maps on disk, float32, one after another: the range over all of them is known only after the last.
 * Closing leaves the file.
 */
export class DepthSpool {
  readonly #file: FileHandle
  #size: Size | null = null
  readonly #labels: Omit<SpooledDepth, 'depth'>[] = []
  #quantity: Header['quantity'] = 'none'
  #range = nothing
  #shownRange = nothing
  #numBlank = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(spoolPath: string): Promise<DepthSpool> {
    return new DepthSpool(await open(spoolPath, 'w+'))
  }

  get count(): number {
    return this.#labels.length
  }

  /** Of every map; known after the first. */
  get size(): Size {
    if (this.#size === null) throw new LeadlineError('INTERNAL', 'No depth map was written')
    return this.#size
  }

  /** What a value means. */
  get quantity(): Header['quantity'] {
    return this.#quantity
  }

  /** Over all maps written so far. */
  get range(): DepthRange {
    return this.#range
  }

  /** Over those of frames that are not blank; over all where there are no others. */
  get shownRange(): DepthRange {
    return this.#numBlank < this.count ? this.#shownRange : this.#range
  }

  /** Maps of frames that show nothing. */
  get numBlank(): number {
    return this.#numBlank
  }

  /** Average rate of the frames; null of a single one. */
  get fps(): number | null {
    const [first, last] = [this.#labels[0], this.#labels.at(-1)]
    if (first === undefined || last === undefined || last === first) return null
    return ((this.count - 1) * 1e6) / (last.timestampUs - first.timestampUs)
  }

  async write(depth: Float32Array, labels: SpooledLabels): Promise<void> {
    const { width, height, timestampUs, quantity, rangeMin, rangeMax } = labels
    this.#size ??= { width, height }
    this.#quantity = quantity
    if (width !== this.#size.width || height !== this.#size.height) {
      const { width: w, height: h } = this.#size
      throw new LeadlineError('INTERNAL', `A depth map is ${width}x${height} after ones of ${w}x${h}`)
    }
    this.#range = widened(this.#range, depth)
    if (labels.flags & flags.blank) this.#numBlank += 1
    else this.#shownRange = widened(this.#shownRange, depth)
    await this.#file.appendFile(new Uint8Array(depth.buffer, depth.byteOffset, depth.byteLength))
    this.#labels.push({ display: { min: rangeMin, max: rangeMax }, timestampUs })
  }

  /** All maps, in order. Each is the caller's. */
  async *maps(): AsyncGenerator<SpooledDepth, void, undefined> {
    const { width, height } = this.size
    for (const [i, labels] of this.#labels.entries()) {
      const depth = new Float32Array(width * height)
      const bytes = new Uint8Array(depth.buffer)
      await this.#file.read(bytes, 0, bytes.byteLength, i * bytes.byteLength)
      yield { depth, ...labels }
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

function widened({ min, max }: DepthRange, depth: Float32Array): DepthRange {
  for (const value of depth) {
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}
