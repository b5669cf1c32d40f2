import { Tensor, type InferenceSession } from 'onnxruntime-node'
import type { FloatType } from '../../latents/float-type.ts'
import { GraphBuilder } from '../../graph/graph-builder.ts'
import type { TransferCounter } from '../../transfers.ts'
import { native } from '../ort-node/ort-run.ts'
import { loadForWebGpu } from './webgpu-session.ts'

/** Dimensions of each ring, [slots, P, C]. */
export type RingDims = readonly (readonly [number, number, number])[]

/** How JavaScript holds them; it has no numbers of 16 bits. */
export const arrayTypes = { float32: Float32Array, float16: Uint16Array } as const

/**
 * Copies of a state's rings between host and device: a graph of Identities whose outputs stay on either side. (`getData`
 * of a tensor on the device ends the process in ONNX Runtime 1.30.)
 */
export class RingCopy {
  readonly #type: FloatType
  readonly #dims: RingDims
  readonly #transfers: TransferCounter
  #up: Promise<InferenceSession> | null = null
  #down: Promise<InferenceSession> | null = null

  constructor(type: FloatType, dims: RingDims, transfers: TransferCounter) {
    this.#type = type
    this.#dims = dims
    this.#transfers = transfers
  }

  /** The rings, one after the other, as RingCache lays them out. */
  async download(tensors: readonly Tensor[]): Promise<Uint8Array> {
    this.#down ??= loadForWebGpu(this.#graph(), [])
    const copies = await this.#run(await this.#down, tensors)
    const bytes = Buffer.concat(copies.map(({ data }) => bytesOf(data as Float32Array | Uint16Array)))
    this.#transfers.add('cache', 'toHost', bytes.byteLength)
    return new Uint8Array(bytes)
  }

  /** `bytes` as `download` gives them; the tensors are to be disposed. */
  async upload(bytes: Uint8Array): Promise<Tensor[]> {
    this.#up ??= loadForWebGpu(
      this.#graph(),
      this.#dims.map((_, index) => copyName(index))
    )
    const elements = new arrayTypes[this.#type](bytes.slice().buffer)
    let offset = 0
    const tensors = this.#dims.map((dims) => {
      const begin = offset
      offset += dims[0] * dims[1] * dims[2]
      return new Tensor(this.#type, elements.subarray(begin, offset), dims)
    })
    this.#transfers.add('cache', 'toDevice', bytes.byteLength)
    return this.#run(await this.#up, tensors)
  }

  /** What it uploaded is to be disposed before. */
  async close(): Promise<void> {
    for (const session of [this.#up, this.#down])
      await native('release the network', (await session)?.release() ?? Promise.resolve())
  }

  async #run(session: InferenceSession, tensors: readonly Tensor[]): Promise<Tensor[]> {
    const feeds = Object.fromEntries(tensors.map((tensor, index) => [sourceName(index), tensor]))
    const copies = await native('copy a latent cache', session.run(feeds))
    return this.#dims.map((_, index) => copies[copyName(index)]!)
  }

  #graph(): Uint8Array {
    const graph = new GraphBuilder(this.#type)
    for (const [index, dims] of this.#dims.entries()) {
      graph.output(copyName(index), dims)
      const source = graph.input(sourceName(index), this.#type, dims)
      graph.node('Identity', [source], { outputs: [copyName(index)] })
    }
    return graph.toModel()
  }
}

function sourceName(index: number): string {
  return `source_${index}`
}

function copyName(index: number): string {
  return `copy_${index}`
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
