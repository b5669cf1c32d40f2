import { GraphBuilder } from '../../graph/graph-builder.ts'
import type { Pointer } from './c-api.ts'
import { runOnce } from './run-once.ts'
import type { OpenRuntime } from './open-runtime.ts'
import { HostTensor } from './tensor.ts'

/**
 * The memory of the device that states lie in: one arena for those of all networks, so that a session which changes its
 * size is given what it had, and nothing of it counts as workspace. It is a session's own, of a graph that does nothing.
 */
export class StateMemory {
  readonly #runtime: OpenRuntime
  readonly #session: Pointer
  readonly #allocator: Pointer

  static async open(runtime: OpenRuntime): Promise<StateMemory> {
    const graph = new GraphBuilder()
    const source = graph.input('source', 'float32', [1])
    graph.output('copy', [1])
    graph.node('Identity', [source], { outputs: ['copy'] })
    const session = await runtime.createMover(graph.toModel())
    try {
      const allocator = runtime.api.make('createAllocator', session, runtime.deviceMemory)
      return new StateMemory(runtime, session, allocator)
    } catch (error) {
      runtime.api.release('session', session)
      throw error
    }
  }

  private constructor(runtime: OpenRuntime, session: Pointer, allocator: Pointer) {
    this.#runtime = runtime
    this.#session = session
    this.#allocator = allocator
  }

  /** To be freed. Holds anything. Throws MEMORY_EXHAUSTED. */
  take(bytes: number): Pointer {
    return this.#runtime.api.make('allocatorAlloc', this.#allocator, bytes)
  }

  free(data: Pointer): void {
    this.#runtime.api.call('allocatorFree', this.#allocator, data)
  }

  /** Gives the device what no state lies in any more: an arena keeps it by itself, for states of no size that still comes. */
  async trim(): Promise<void> {
    const { device, deviceId = 0 } = this.#runtime.device
    const arena = device === 'cpu' ? 'cpu:0' : `gpu:${deviceId}`
    const [source, copy] = [0, 1].map(() => new HostTensor(this.#runtime, 'float32', [1])) as [
      HostTensor,
      HostTensor
    ]
    try {
      await runOnce(this.#runtime, this.#session, {
        inputs: new Map([['source', source.value]]),
        outputs: new Map([['copy', copy.value]]),
        settings: { 'memory.enable_memory_arena_shrinkage': arena }
      })
    } finally {
      source.close()
      copy.close()
    }
  }

  close(): void {
    this.#runtime.api.release('allocator', this.#allocator)
    this.#runtime.api.release('session', this.#session)
  }
}
