import { Tensor, type InferenceSession } from 'onnxruntime-node'
import type { Plan } from '../../executor.ts'
import type { WeightBits } from '../../cpu-features.ts'
import { buildStepGraph, depthOutput, frameInput, type OpSetName } from '../../graph/step-graph.ts'
import { stepFeed } from '../../latents/window.ts'
import type { WeightsMap } from '../../weights/weights-map.ts'
import { loadGraph, native, windowTensors } from './ort-run.ts'
import { RingCache } from './ring-cache.ts'

/** The part of a plan that says what to compute; where the weights come from is another matter. */
export type NetworkPlan = Omit<Plan, 'weightsPath' | 'digest'>

export interface BuildOptions {
  weights: WeightsMap
  threads: number
  opSet?: OpSetName
  /** As in a graph. */
  weightBits?: WeightBits
}

/** A plan's network, loaded into ONNX Runtime on the CPU, batch 1. */
export class OrtModel {
  readonly plan: NetworkPlan
  private readonly ortSession: InferenceSession

  private constructor(plan: NetworkPlan, ortSession: InferenceSession) {
    this.plan = plan
    this.ortSession = ortSession
  }

  /** From weights at hand, which are taken to fit. */
  static async build(plan: NetworkPlan, { threads, ...options }: BuildOptions): Promise<OrtModel> {
    const graph = buildStepGraph({ ...plan, ...options })
    return new OrtModel(plan, await loadGraph(graph, threads))
  }

  /** The first run is slow: it takes memory and packs weights. */
  async warmUp(): Promise<void> {
    await this.step(this.newCache(), 0, new Uint8Array(this.plan.height * this.plan.width * 3))
  }

  newCache(): RingCache {
    return new RingCache(this.plan)
  }

  /** Depth of one frame, float32 height x width. The frame's latents are in `cache` afterwards. */
  async step(cache: RingCache, framesSeen: number, frame: Uint8Array): Promise<Float32Array> {
    const { height, width, mode } = this.plan
    const frameTensor = new Tensor('uint8', frame, [1, height, width, 3])
    const feeds: Record<string, Tensor> = { [frameInput]: frameTensor }
    const fetches: Record<string, Tensor | null> = { [depthOutput]: null }
    const window = mode === 'single' ? null : stepFeed(this.plan, framesSeen)
    if (window) {
      if (framesSeen === 0) cache.clear()
      Object.assign(feeds, cache.feeds, windowTensors(window))
      Object.assign(fetches, cache.fetches(window.writeSlot))
    }
    const outputs = await native('run the network', this.ortSession.run(feeds, fetches))
    if (window?.fillsRing) cache.fillFrom(window.writeSlot)
    return outputs[depthOutput]!.data as Float32Array
  }

  async release(): Promise<void> {
    await native('release the network', this.ortSession.release())
  }
}
