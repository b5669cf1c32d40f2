import type { CApi, Pointer } from './c-api.ts'
import { workspaceMemory } from './device.ts'
import type { DeviceSpec } from './device-spec.ts'

/** The providers whose memory a bounded workspace is. */
const providers = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'CUDAExecutionProvider'
}
/** kSameAsRequested: doubling would come to the bound with half of it unused. */
const growAsAsked = 1

/**
 * One arena for the weights and the workspace of all sessions of an environment, with a bound that holds for all of them
 * together; an arena of a session's own would be bounded by itself, and there is one for each size of batch. The environment
 * has one at a time. Throws EXECUTOR_FAILED.
 */
export class Workspace {
  readonly #api: CApi
  readonly #environment: Pointer
  readonly #memory: Pointer

  constructor(api: CApi, environment: Pointer, spec: DeviceSpec & { workspaceBytes: number }) {
    this.#api = api
    this.#environment = environment
    this.#memory = workspaceMemory(api, spec)
    const keys = ['max_mem', 'arena_extend_strategy']
    const cfg = api.make('createArenaCfg', keys, [spec.workspaceBytes, growAsAsked], keys.length)
    try {
      const options = spec.device === 'cpu' ? {} : { device_id: String(spec.deviceId ?? 0) }
      const [names, values] = [Object.keys(options), Object.values(options)]
      api.call(
        'createAndRegisterAllocator',
        ...[environment, providers[spec.device], this.#memory, cfg, names, values, names.length]
      )
    } catch (error) {
      api.release('memoryInfo', this.#memory)
      throw error
    } finally {
      api.release('arenaCfg', cfg)
    }
  }

  /** After the sessions that use it. */
  close(): void {
    this.#api.call('unregisterAllocator', this.#environment, this.#memory)
    this.#api.release('memoryInfo', this.#memory)
  }
}
