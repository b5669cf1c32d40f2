import { Tensor, type InferenceSession } from 'onnxruntime-node'
import type { SliceRow } from '../../executor.ts'
import { depthOutput, frameInput } from '../../graph/step-graph.ts'
import { buildWindowGraphs, type StageGraph } from '../../graph/window-graphs.ts'
import { VDA_WINDOW } from '../../latents/window.ts'
import type { BuildOptions, NetworkPlan } from './ort-model.ts'
import { loadGraph, native, windowTensors } from './ort-run.ts'
import { WindowCache } from './window-cache.ts'

type Stage = Omit<StageGraph, 'model'> & { ortSession: InferenceSession }

/** In an offline window every frame sees every other, itself among them. */
const allSeen = new Float32Array(VDA_WINDOW)

/** The network of mode vda-window on the CPU, a model per stage. */
export class OrtWindowModel {
  readonly plan: NetworkPlan
  private readonly stages: readonly Stage[]

  private constructor(plan: NetworkPlan, stages: readonly Stage[]) {
    this.plan = plan
    this.stages = stages
  }

  /** From weights at hand, which are taken to fit. */
  static async build(plan: NetworkPlan, { threads, ...options }: BuildOptions): Promise<OrtWindowModel> {
    const stages: Stage[] = []
    for (const { model, ...stage } of buildWindowGraphs({ ...plan, ...options }))
      stages.push({ ...stage, ortSession: await loadGraph(model, threads) })
    return new OrtWindowModel(plan, stages)
  }

  /** The first run is slow: it takes memory and packs weights. */
  async warmUp(): Promise<void> {
    const cache = this.newCache()
    const places = Int32Array.from({ length: VDA_WINDOW }, (_, place) => place)
    const blank = new Uint8Array(this.plan.height * this.plan.width * 3)
    for (const stage of this.stages.keys())
      await this.slice(cache, { stage, slot: 0, places, frame: stage === 0 ? blank : null })
  }

  newCache(): WindowCache {
    return new WindowCache(this.plan)
  }

  /** Runs one stage for one frame; the last gives its depth, float32 height x width, the others null. */
  async slice(cache: WindowCache, row: Omit<SliceRow, 'state'>): Promise<Float32Array | null> {
    const { stage, slot, places, frame } = row
    const { inputs, outputs, ortSession } = this.stages[stage]!
    const { height, width } = this.plan
    const window = windowTensors({
      positions: places,
      mask: allSeen,
      queryPosition: places[slot]!,
      writeSlot: slot
    })
    const frameTensor = frame && { [frameInput]: new Tensor('uint8', frame, [1, height, width, 3]) }
    const known: Record<string, Tensor> = { ...cache.slots[slot]!, ...cache.rings, ...window, ...frameTensor }
    const feeds = Object.fromEntries(inputs.map((name) => [name, known[name]!]))
    const fetches = Object.fromEntries(outputs.map((name) => [name, cache.slots[slot]![name] ?? null]))
    const results = await native(`run stage ${stage} of the network`, ortSession.run(feeds, fetches))
    return (results[depthOutput]?.data as Float32Array | undefined) ?? null
  }

  async release(): Promise<void> {
    for (const { ortSession } of this.stages) await native('release the network', ortSession.release())
  }
}
