import type { FileHandle } from 'node:fs/promises'
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../../errors.ts'
import { flags, headerBytes } from '../../wire/frame.ts'
import type { Header, ValidFrame } from '../../wire/frame.ts'
import type { Size } from '../../video/index.ts'
import { readRecords, recordBytes, recordOf } from './depth-record.ts'

export interface SpooledDepth {
  depth: Float32Array
  /** The range that a display of this map should use, by its header. */
  display: DepthRange
  /** Of its frame, on the file's clock. */
  timestampUs: number
  /** The latent cache's life in which it was made, from 1. */
  epoch: number
}

interface Labels extends Omit<SpooledDepth, 'depth'> {
  /** The latent cache was empty, and the frame shows something: a session that begins here gives the same. */
  isStart: boolean
}

interface DepthRange {
  min: number
  max: number
}

const nothing: DepthRange = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }
/** What is kept at once, in a storage that keeps whole files alone. */
const mapsPerSegment = 32
const segmentName = /^depth-\d{6}\.f32$/

export interface DepthSpoolOptions {
  folder: string
  /** Called with the name of each file that has all of its maps. */
  onSegment?: (name: string) => Promise<void>
}

/**
 * A clip's depth maps on disk, one after another: the range over all of them is known only after the last. Each lies where
 * its number says, in segments, with a sum over it; so a spool that is opened again goes on behind the last map that is
 * whole, and whoever still writes at the same time writes the same. Closing leaves the files.
 */
export class DepthSpool {
  readonly #options: DepthSpoolOptions
  readonly #labels: Labels[] = []
  #file: { segment: number; handle: FileHandle } | null = null
  #size: Size | null = null
  #quantity: Header['quantity'] = 'none'
  #range = nothing
  #shownRange = nothing
  #numBlank = 0
  #epoch = 0
  /** Whether a frame of this epoch showed something. */
  #hasPast = true

  private constructor(options: DepthSpoolOptions) {
    this.#options = options
  }

  static async open(options: DepthSpoolOptions): Promise<DepthSpool> {
    const spool = new DepthSpool(options)
    const names = (await readdir(options.folder)).filter((name) => segmentName.test(name)).sort()
    for (const [segment, name] of names.entries()) {
      if (name !== nameOf(segment)) break
      for await (const map of readRecords(path.join(options.folder, name), spool.count)) spool.#learn(map)
      if (spool.count !== (segment + 1) * mapsPerSegment) break
    }
    return spool
  }

  get count(): number {
    return this.#labels.length
  }

  /** From which frame on a new session gives what is still to come, bit for bit: the last one that began without a past. */
  get lastStart(): number {
    return Math.max(
      0,
      this.#labels.findLastIndex(({ isStart }) => isStart)
    )
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

  /** The next map; its seq is its number. */
  async write(map: ValidFrame): Promise<void> {
    const { width, height, seq } = map.header
    const { width: w, height: h } = this.#size ?? map.header
    if (width !== w || height !== h)
      throw new LeadlineError('INTERNAL', `A depth map is ${width}x${height} after ones of ${w}x${h}`)
    if (seq !== this.count)
      throw new LeadlineError('INTERNAL', `Depth map ${seq} came in the place of ${this.count}`)
    const segment = Math.floor(seq / mapsPerSegment)
    const record = recordOf(map)
    const file = await this.#fileOf(segment)
    await file.write(record, 0, record.byteLength, (seq % mapsPerSegment) * record.byteLength)
    this.#learn(map)
    if (this.count % mapsPerSegment === 0) await this.#options.onSegment?.(nameOf(segment))
  }

  /** All maps, in order. Each is the caller's. */
  async *maps(): AsyncGenerator<SpooledDepth, void, undefined> {
    const { width, height } = this.size
    for (const [seq, { display, timestampUs, epoch }] of this.#labels.entries()) {
      const file = await this.#fileOf(Math.floor(seq / mapsPerSegment))
      const depth = new Float32Array(width * height)
      const bytes = new Uint8Array(depth.buffer)
      const at = (seq % mapsPerSegment) * recordBytes(depth.byteLength)
      await file.read(bytes, 0, bytes.byteLength, at + headerBytes)
      yield { depth, display, timestampUs, epoch }
    }
  }

  async close(): Promise<void> {
    await this.#file?.handle.close()
    this.#file = null
  }

  #learn({ header, payload }: ValidFrame): void {
    const { width, height, timestampUs, quantity, rangeMin, rangeMax } = header
    // Copied, since the payload may lie at an offset that is no multiple of four.
    const depth = new Float32Array(new Uint8Array(payload).buffer)
    const isBlank = (header.flags & flags.blank) !== 0
    const isFirst = (header.flags & flags.first) !== 0
    const isStart = isFirst && !isBlank
    // Behind the blank frames that an epoch may begin with, its first frame with a picture finds the cache empty still.
    if (isFirst && (isBlank || this.#hasPast)) {
      this.#epoch += 1
      this.#hasPast = false
    }
    if (!isBlank) this.#hasPast = true
    this.#size ??= { width, height }
    this.#quantity = quantity
    this.#range = widened(this.#range, depth)
    if (isBlank) this.#numBlank += 1
    else this.#shownRange = widened(this.#shownRange, depth)
    this.#labels.push({ display: { min: rangeMin, max: rangeMax }, timestampUs, epoch: this.#epoch, isStart })
  }

  async #fileOf(segment: number): Promise<FileHandle> {
    if (this.#file?.segment === segment) return this.#file.handle
    await this.close()
    const name = path.join(this.#options.folder, nameOf(segment))
    // What is there stays: it may be whole.
    const handle = await open(name, 'r+').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return open(name, 'w+')
      throw error
    })
    this.#file = { segment, handle }
    return handle
  }
}

function nameOf(segment: number): string {
  return `depth-${String(segment).padStart(6, '0')}.f32`
}

function widened({ min, max }: DepthRange, depth: Float32Array): DepthRange {
  for (const value of depth) {
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}
