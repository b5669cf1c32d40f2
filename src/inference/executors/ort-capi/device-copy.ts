import type { Precision } from '../../../manifest.ts'
import { floatTypeOf, latentElementBytes, type FloatType } from '../../latents/float-type.ts'
import { GraphBuilder } from '../../graph/graph-builder.ts'
import type { TransferCounter } from '../../transfers.ts'
import type { Pointer } from './c-api.ts'
import { runOnce } from './run-once.ts'
import type { Runtime } from './runtime.ts'
import { HostTensor, tensorOver } from './tensor.ts'

/** A latent cache as one row of elements. */
export interface Latents {
  type: FloatType
  count: number
}

/** Those of a plan whose state takes `bytes`. */
export function latentsOf({ precision }: { precision?: Precision }, bytes: number): Latents {
  return { type: floatTypeOf(precision), count: bytes / latentElementBytes(precision) }
}

/**
 * Copies of a whole latent cache between host and device: a graph of one Identity, bound to either side. It works on
 * every provider alike; the C API's own copy knows the CPU and providers that were registered by hand.
 */
export class DeviceCopy {
  readonly #runtime: Runtime
  readonly #session: Pointer
  readonly #latents: Latents
  readonly #transfers: TransferCounter

  static async create(runtime: Runtime, latents: Latents, transfers: TransferCounter): Promise<DeviceCopy> {
    const graph = new GraphBuilder(latents.type)
    const source = graph.input('source', latents.type, [latents.count])
    graph.output('copy', [latents.count])
    graph.node('Identity', [source], { outputs: ['copy'] })
    return new DeviceCopy(runtime, await runtime.createMover(graph.toModel()), { latents, transfers })
  }

  private constructor(
    runtime: Runtime,
    session: Pointer,
    { latents, transfers }: { latents: Latents; transfers: TransferCounter }
  ) {
    this.#runtime = runtime
    this.#session = session
    this.#latents = latents
    this.#transfers = transfers
  }

  /** `bytes` onto the device, to `data`. */
  upload(bytes: Uint8Array, data: Pointer): Promise<void> {
    return this.#through(data, async (host, device) => {
      host.bytes.set(bytes)
      await this.#copy(host.value, device)
      this.#transfers.add('cache', 'toDevice', bytes.byteLength)
    })
  }

  /** What lies at `data` on the device. */
  download(data: Pointer): Promise<Uint8Array> {
    return this.#through(data, async (host, device) => {
      await this.#copy(device, host.value)
      this.#transfers.add('cache', 'toHost', host.bytes.byteLength)
      return Uint8Array.from(host.bytes)
    })
  }

  close(): void {
    this.#runtime.api.release('session', this.#session)
  }

  async #through<T>(data: Pointer, work: (host: HostTensor, device: Pointer) => Promise<T>): Promise<T> {
    const runtime = this.#runtime
    const { type, count } = this.#latents
    const host = new HostTensor(runtime, type, [count])
    const device = tensorOver(runtime, runtime.deviceMemory, { data, type, dims: [count] })
    try {
      return await work(host, device)
    } finally {
      runtime.api.release('value', device)
      host.close()
    }
  }

  #copy(from: Pointer, to: Pointer): Promise<void> {
    const [inputs, outputs] = [new Map([['source', from]]), new Map([['copy', to]])]
    return runOnce(this.#runtime, this.#session, { inputs, outputs })
  }
}
