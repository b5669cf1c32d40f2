import { InferenceSession, Tensor } from 'onnxruntime-node'
import { LeadlineError } from '../../errors.ts'
import type { Plan } from '../executor.ts'
import { buildStepGraph, depthOutput, frameInput, type OpSetName } from '../graph/step-graph.ts'
import { windowInputNames } from '../graph/window-inputs.ts'
import { windowFeed, type WindowFeed } from '../graph/window.ts'
import { readVerified } from '../weights/digest.ts'
import { checkWeights } from '../weights/expected-weights.ts'
import { readSafetensors } from '../weights/safetensors-reader.ts'
import type { WeightsMap } from '../weights/weights-map.ts'
import { RingCache } from './ring-cache.ts'

/** The part of a plan that says what to compute; where the weights come from is another matter. */
export type NetworkPlan = Omit<Plan, 'weightsPath' | 'digest'>

export interface BuildOptions {
  weights: WeightsMap
  threads: number
  opSet?: OpSetName
}

/** A plan's network, loaded into ONNX Runtime on the CPU, batch 1. */
export class OrtModel {
  readonly plan: NetworkPlan
  private readonly ortSession: InferenceSession

  private constructor(plan: NetworkPlan, ortSession: InferenceSession) {
    this.plan = plan
    this.ortSession = ortSession
  }

  /** Reads and checks the weights, builds the graph, loads it and runs it once. */
  static async load(plan: Plan, threads: number): Promise<OrtModel> {
    const { weightsPath, digest, architecture } = plan
    const weights = readSafetensors(await readVerified(weightsPath, digest), weightsPath)
    checkWeights(weights, architecture, weightsPath)
    const model = await OrtModel.build(plan, { weights, threads })
    await model.step(model.newCache(), 0, new Uint8Array(plan.height * plan.width * 3))
    return model
  }

  /** From weights at hand, which are taken to fit. */
  static async build(plan: NetworkPlan, { threads, ...options }: BuildOptions): Promise<OrtModel> {
    const graph = buildStepGraph({ ...plan, ...options })
    const ortSession = await native(
      'load the network',
      InferenceSession.create(graph, sessionOptions(threads))
    )
    return new OrtModel(plan, ortSession)
  }

  newCache(): RingCache {
    return new RingCache(this.plan)
  }

  /** Depth of one frame, float32 height x width. The frame's latents are in `cache` afterwards. */
  async step(cache: RingCache, framesSeen: number, frame: Uint8Array): Promise<Float32Array> {
    const { height, width, mode, cacheSize, attendSelf } = this.plan
    const frameTensor = new Tensor('uint8', frame, [1, height, width, 3])
    const feeds: Record<string, Tensor> = { [frameInput]: frameTensor }
    const fetches: Record<string, Tensor | null> = { [depthOutput]: null }
    if (mode === 'ovda') {
      const window = windowFeed(framesSeen, cacheSize, attendSelf)
      if (framesSeen === 0) cache.clear()
      Object.assign(feeds, cache.feeds, windowTensors(window))
      Object.assign(fetches, cache.fetches(window.writeSlot))
    }
    const outputs = await native('run the network', this.ortSession.run(feeds, fetches))
    return outputs[depthOutput]!.data as Float32Array
  }

  async release(): Promise<void> {
    await native('release the network', this.ortSession.release())
  }
}

function sessionOptions(threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: {
      session: {
        // Threads that wait for work must not burn the cores that decode video.
        intra_op: { allow_spinning: '0' },
        // Softmax gives hidden slots weights of 4e-39, and processors are slow at numbers below 1e-38; as 0 they are
        // exact and fast (softmax of ViT-S at 252x448: 12.6 → 2.7 ms).
        set_denormal_as_zero: '1'
      }
    }
  }
}

function windowTensors({ positions, mask, queryPosition, writeSlot }: WindowFeed): Record<string, Tensor> {
  return {
    [windowInputNames.positions]: new Tensor('int64', BigInt64Array.from(positions, BigInt), [
      1,
      positions.length
    ]),
    [windowInputNames.mask]: new Tensor('float32', mask, [1, mask.length]),
    [windowInputNames.queryPosition]: new Tensor('int64', BigInt64Array.of(BigInt(queryPosition)), [1]),
    [windowInputNames.writeSlot]: new Tensor('int64', BigInt64Array.of(BigInt(writeSlot)), [1])
  }
}

async function native<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LeadlineError('EXECUTOR_FAILED', `ONNX Runtime could not ${what}: ${reason}`, { cause })
  }
}
