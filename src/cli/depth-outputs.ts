import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { DepthResult } from '../client/index.ts'
import type { ColorTable } from '../maps/colormap.ts'
import { colorTable, displayEnds } from '../maps/colormap.ts'
import type {
  Camera,
  DepthFile,
  DepthFileMap,
  DepthOutputName,
  DepthFileOptions,
  StoredArray
} from '../depth-files/index.ts'
import {
  colorVideos,
  createDepthFile,
  expectEmpty,
  levelFiles,
  renderMap,
  standardOutput
} from '../depth-files/index.ts'
import { LeadlineError } from '../errors.ts'
import type { Colormap } from '../wire/output.ts'
import type { VideoFrame } from '../video/index.ts'

/** A file to write, and as what. */
export interface DepthOutput {
  path: string
  name: DepthOutputName
}

export interface OutputsOptions {
  outputs: readonly DepthOutput[]
  /** Average of the frames; null when unknown. */
  fps: number | null
  colormap: Colormap
  camera: Camera
}

/** Writes depth maps into files, opened with the first map, since it tells their size. */
export class DepthOutputs {
  readonly #options: OutputsOptions
  readonly #table: ColorTable
  readonly #files: { name: DepthOutputName; file: DepthFile }[] = []
  /** Shown again in videos where a frame has no depth of its own, so that they keep their length. */
  #last: DepthFileMap | null = null

  constructor(options: OutputsOptions) {
    this.#options = options
    this.#table = colorTable(options.colormap)
  }

  /** The frame and its depth map; null where it has none. */
  async write(frame: VideoFrame, result: DepthResult | null): Promise<void> {
    const { outputs } = this.#options
    if (outputs.length === 0) return
    const map = result === null ? this.#last : this.#mapOf(result)
    this.#last = map
    if (map === null) return
    if (result !== null && this.#files.length === 0) await this.#open(result, frame)
    const shown = { ...map, frame, timestampUs: frame.timestampUs }
    const taking = this.#files.filter(({ name }) => result !== null || colorVideos.includes(name))
    await Promise.all(taking.map(({ file }) => file.write(shown)))
  }

  /** What whoever reads raw values from standard output has to know. */
  pipeLines({ header: { width, height, quantity } }: DepthResult): string[] {
    const pipes = this.#options.outputs.filter((output) => output.path === standardOutput)
    return pipes.map(
      ({ name }) =>
        `depth on standard output: ${name}, ${width}x${height}, ${quantity}, a map after the other`
    )
  }

  async close(): Promise<void> {
    for (const { file } of this.#files) await file.close()
  }

  /** After `close` it does nothing. */
  async abort(): Promise<void> {
    await Promise.all(this.#files.map(({ file }) => file.abort()))
  }

  #asks(names: readonly DepthOutputName[]): boolean {
    return this.#options.outputs.some(({ name }) => names.includes(name))
  }

  #mapOf(result: DepthResult): DepthFileMap {
    const { width, height, rangeMin, rangeMax, quantity, ...header } = result.header
    const ends = displayEnds({ min: rangeMin, max: rangeMax }, quantity)
    const depth = result.values()
    const range = rangeOf(depth)
    const size = { width, height }
    const rendered = renderMap({
      ...{ depth, size, to: size, picture: null },
      colors: this.#asks(colorVideos) ? { ends, table: this.#table } : null,
      levels: this.#asks(levelFiles) ? range : null
    })
    const { epoch, timestampUs, scale, offset } = header
    return {
      ...rendered,
      levels: { scale: (range.max - range.min) / 65_535, offset: range.min },
      exact: { scale, offset, array: storedOf(result) },
      ...{ ends, epoch, timestampUs, frame: null }
    }
  }

  async #open({ header }: DepthResult, { width, height }: VideoFrame): Promise<void> {
    const { outputs, fps, camera } = this.#options
    const options: Omit<DepthFileOptions, 'path'> = {
      size: { width: header.width, height: header.height },
      source: { width, height, fps },
      quantity: header.quantity,
      camera
    }
    for (const { name, path: filePath } of outputs)
      this.#files.push({ name, file: await createDepthFile(name, { ...options, path: filePath }) })
  }
}

function rangeOf(depth: Float32Array): { min: number; max: number } {
  let [min, max] = [Infinity, -Infinity]
  for (const value of depth) {
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}

/** The values as they came. */
function storedOf({ header, payload }: DepthResult): StoredArray {
  const { buffer } = Uint8Array.from(payload)
  if (header.dtype === 'f32') return { type: '<f4', values: new Float32Array(buffer) }
  return { type: header.dtype === 'f16' ? '<f2' : '<u2', values: new Uint16Array(buffer) }
}

/** Throws REQUEST_INVALID when a file could not be written there, before any work is done. */
export async function checkFolderOf(filePath: string): Promise<void> {
  if (filePath === standardOutput) return
  if (/[/\\]$/.test(filePath)) await expectEmpty(filePath)
  const folder = path.dirname(path.resolve(filePath))
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false
  )
  if (!isFolder)
    throw new LeadlineError(
      'REQUEST_INVALID',
      `${filePath} cannot be written: there is no folder ${folder}; create it first`
    )
}
