import { Tensor, type InferenceSession } from 'onnxruntime-node'
import type { Plan } from '../../executor.ts'
import { floatTypeOf } from '../../latents/float-type.ts'
import { cacheName, ringName } from '../../latents/latents.ts'
import { buildStepGraph, depthOutput, frameInput } from '../../graph/step-graph.ts'
import { windowInputNames } from '../../graph/window-inputs.ts'
import { stepFeed, windowShape } from '../../latents/window.ts'
import type { TransferCounter } from '../../transfers.ts'
import { readNetworkWeights } from '../../weights/network-weights.ts'
import { native, windowTensors } from '../ort-node/ort-run.ts'
import { latentLayout, ringCacheBytes } from '../../latents/ring-cache-layout.ts'
import { DeviceRings } from './device-rings.ts'
import { arrayTypes, RingCopy, type RingDims } from './ring-copy.ts'
import { loadForWebGpu } from './webgpu-session.ts'
import { checkStateBytes } from '../refusals.ts'

/** A plan's network on WebGPU, one row a run. Rings go in and come out as tensors of the device. */
export class WebGpuModel {
  readonly plan: Plan
  readonly #session: InferenceSession
  readonly #ringDims: RingDims
  readonly #copy: RingCopy
  readonly #transfers: TransferCounter

  /** Reads and checks the weights, builds the graph, loads it and runs it once, which compiles its shaders. */
  static async load(plan: Plan, transfers: TransferCounter): Promise<WebGpuModel> {
    const { weightsPath, digest, architecture } = plan
    const weights = await readNetworkWeights(weightsPath, digest, architecture)
    const graph = buildStepGraph({ ...plan, weights, opSet: 'webgpu', ring: 'copied' })
    const rings = latentLayout(plan).map((_, index) => ringName(index))
    const model = new WebGpuModel(plan, await loadForWebGpu(graph, rings), transfers)
    const state = model.newState()
    try {
      await model.step(state, 0, new Uint8Array(plan.height * plan.width * 3))
      state.dispose()
    } catch (error) {
      state.dispose()
      await model.release()
      throw error
    }
    return model
  }

  private constructor(plan: Plan, session: InferenceSession, transfers: TransferCounter) {
    const { slots } = windowShape(plan.mode, plan.cacheSize)
    this.plan = plan
    this.#session = session
    this.#ringDims = latentLayout(plan).map(({ rows, channels }) => [slots, rows, channels])
    this.#copy = new RingCopy(floatTypeOf(plan.precision), this.#ringDims, transfers)
    this.#transfers = transfers
  }

  newState(): DeviceRings {
    return new DeviceRings()
  }

  /** Depth of one frame, float32 height x width. The frame's latents are in `rings` afterwards; unless it throws. */
  async step(rings: DeviceRings, framesSeen: number, frame: Uint8Array): Promise<Float32Array> {
    const { height, width, mode } = this.plan
    const window = mode === 'single' ? {} : this.#windowTensors(framesSeen)
    const feeds = {
      [frameInput]: new Tensor('uint8', frame, [1, height, width, 3]),
      ...window,
      ...this.#ringFeeds(rings)
    }
    const outputs = await native('run the network on WebGPU', this.#session.run(feeds))
    rings.replace(this.#ringDims.map((_, index) => outputs[ringName(index)]!))
    const depth = outputs[depthOutput]!.data as Float32Array
    this.#transfers.add('frame', 'toDevice', frame.byteLength)
    for (const tensor of Object.values(window))
      this.#transfers.add('window', 'toDevice', (tensor.data as Float32Array).byteLength)
    this.#transfers.add('depth', 'toHost', depth.byteLength)
    return depth
  }

  /** The rings, one after the other, as RingCache lays them out; zeros of a state that has seen nothing. */
  async toBytes({ tensors }: DeviceRings): Promise<Uint8Array> {
    if (tensors === null || tensors.length === 0) return new Uint8Array(ringCacheBytes(this.plan))
    return this.#copy.download(tensors)
  }

  async fromBytes(bytes: Uint8Array): Promise<DeviceRings> {
    const expected = ringCacheBytes(this.plan)
    checkStateBytes('latent cache', bytes, expected)
    return new DeviceRings(expected === 0 ? null : await this.#copy.upload(bytes))
  }

  /** Its states are to be disposed before. */
  async release(): Promise<void> {
    await this.#copy.close()
    await native('release the network', this.#session.release())
  }

  /**
   * The first frame goes into every slot, so that nothing is left of what lay there: hidden slots weigh 0, yet 0 times a
   * NaN would be NaN. Mode vda-stream asks for just that, and mode ovda sees a slot only after its own frame.
   */
  #windowTensors(framesSeen: number): Record<string, Tensor> {
    const tensors = windowTensors(stepFeed(this.plan, framesSeen))
    const { slots } = windowShape(this.plan.mode, this.plan.cacheSize)
    const everySlot = new Tensor('float32', new Float32Array(slots).fill(1), [1, slots])
    return framesSeen === 0 ? { ...tensors, [windowInputNames.written]: everySlot } : tensors
  }

  /** A new state sends zeros, this once. */
  #ringFeeds({ tensors }: DeviceRings): Record<string, Tensor> {
    const feeds = tensors ?? this.#ringDims.map((dims) => this.#zeros(dims))
    return Object.fromEntries(feeds.map((tensor, index) => [cacheName(index), tensor]))
  }

  #zeros(dims: RingDims[number]): Tensor {
    const type = floatTypeOf(this.plan.precision)
    const zeros = new arrayTypes[type](dims[0] * dims[1] * dims[2])
    this.#transfers.add('cache', 'toDevice', zeros.byteLength)
    return new Tensor(type, zeros, dims)
  }
}
