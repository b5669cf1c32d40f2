import type { FloatType } from '../../latents/float-type.ts'
import { GraphBuilder } from '../../graph/graph-builder.ts'
import type { Pointer } from './c-api.ts'
import { runOnce } from './run-once.ts'
import type { Runtime } from './runtime.ts'

/** A tensor and what it is repeated to, by ONNX's rules of broadcasting. */
export interface Spread {
  from: readonly number[]
  to: readonly number[]
}

/** Writes tensors over larger ones, again and again until these are full, on the device itself: a graph of Expands. */
export class DeviceSpread {
  readonly #runtime: Runtime
  readonly #session: Pointer

  static async create(runtime: Runtime, type: FloatType, spreads: readonly Spread[]): Promise<DeviceSpread> {
    const graph = new GraphBuilder(type)
    for (const [index, { from, to }] of spreads.entries()) {
      const source = graph.input(sourceName(index), type, from)
      graph.output(targetName(index), to)
      graph.node('Expand', [source, graph.integers(to)], { outputs: [targetName(index)] })
    }
    return new DeviceSpread(runtime, await runtime.createMover(graph.toModel()))
  }

  private constructor(runtime: Runtime, session: Pointer) {
    this.#runtime = runtime
    this.#session = session
  }

  /** Each source over its target, in the order of `create`. No two of them may overlap. */
  run(sources: readonly Pointer[], targets: readonly Pointer[]): Promise<void> {
    const inputs = new Map(sources.map((source, index) => [sourceName(index), source]))
    const outputs = new Map(targets.map((target, index) => [targetName(index), target]))
    return runOnce(this.#runtime, this.#session, { inputs, outputs })
  }

  close(): void {
    this.#runtime.api.release('session', this.#session)
  }
}

function sourceName(index: number): string {
  return `source_${index}`
}

function targetName(index: number): string {
  return `target_${index}`
}
