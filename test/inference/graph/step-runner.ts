import { InferenceSession, Tensor } from 'onnxruntime-node'
import { cacheName, latentName, latentShapes } from '../../../src/inference/latents/latents.ts'
import { buildStepGraph, type StepGraphOptions } from '../../../src/inference/graph/step-graph.ts'
import { windowFeed, type WindowFeed } from '../../../src/inference/latents/window.ts'

/** One video of a batch: its rings and how far it is. */
export interface TestState {
  framesSeen: number
  rings: Float32Array[]
}

export interface RunnerOptions extends StepGraphOptions {
  attendSelf?: boolean
  /** What the graph is told about a ring. Default: the truth. */
  window?: (framesSeen: number) => WindowFeed
}

/** A graph run frame by frame with rings copied by hand for any batch: slow, and independent of the executor. */
export class StepRunner {
  private readonly options: RunnerOptions
  private readonly ortSession: InferenceSession

  private constructor(options: RunnerOptions, ortSession: InferenceSession) {
    this.options = options
    this.ortSession = ortSession
  }

  static async create(options: RunnerOptions): Promise<StepRunner> {
    const session = { intraOpNumThreads: 1, extra: { session: { intra_op: { allow_spinning: '0' } } } }
    return new StepRunner(
      options,
      await InferenceSession.create(buildStepGraph({ ...options, ring: 'scattered' }), session)
    )
  }

  newState(): TestState {
    const { cacheSize } = this.options
    return {
      framesSeen: 0,
      rings: this.shapes().map(({ rows, channels }) => new Float32Array(cacheSize * rows * channels))
    }
  }

  /** Depths in row order. */
  async step(states: readonly TestState[], frames: readonly Uint8Array[]): Promise<Float32Array[]> {
    const { height, width, cacheSize, attendSelf = false } = this.options
    const batch = states.length
    const window =
      this.options.window ?? ((framesSeen: number) => windowFeed(framesSeen, cacheSize, attendSelf))
    const windows = states.map((state) => window(state.framesSeen))
    const feeds: Record<string, Tensor> = {
      frame: new Tensor('uint8', Buffer.concat(frames), [batch, height, width, 3]),
      positions: integers(
        windows.flatMap(({ positions }) => [...positions]),
        [batch, cacheSize]
      ),
      mask: new Tensor(
        'float32',
        windows.flatMap(({ mask }) => [...mask]),
        [batch, cacheSize]
      ),
      query_position: integers(
        windows.map(({ queryPosition }) => queryPosition),
        [batch]
      ),
      written: new Tensor(
        'float32',
        windows.flatMap(({ mask, writeSlot }) => Array.from(mask, (_, slot) => (slot === writeSlot ? 1 : 0))),
        [batch, cacheSize]
      )
    }
    for (const [row, { rings }] of states.entries())
      for (const [index, { rows, channels }] of this.shapes().entries())
        feeds[cacheName(index, row)] = new Tensor('float32', rings[index]!, [cacheSize, rows, channels])
    const outputs = await this.ortSession.run(feeds)
    for (const [row, state] of states.entries()) this.write(state, row, windows[row]!.writeSlot, outputs)
    const depth = outputs.depth!.data as Float32Array
    return states.map((_, row) => depth.slice(row * height * width, (row + 1) * height * width))
  }

  async release(): Promise<void> {
    await this.ortSession.release()
  }

  private shapes() {
    return latentShapes(this.options.architecture, this.options.height, this.options.width)
  }

  private write(state: TestState, row: number, slot: number, outputs: InferenceSession.ReturnType): void {
    for (const [index, { rows, channels }] of this.shapes().entries()) {
      const size = rows * channels
      state.rings[index]!.set(outputs[latentName(index, row)]!.data as Float32Array, slot * size)
    }
    state.framesSeen += 1
  }
}

function integers(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), dims)
}

export function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, index) => Math.max(worst, Math.abs(value - b[index]!)), 0)
}
