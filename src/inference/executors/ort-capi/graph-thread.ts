import { move, transferableSymbol, valueSymbol } from 'piscina'
import { asLeadlineError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'
import type { Plan } from '../../executor.ts'
import { buildStepGraph, type StepGraphOptions } from '../../graph/step-graph.ts'
import { buildWindowGraphs, type StageGraph } from '../../graph/window-graphs.ts'
import { readNetworkWeights } from '../../weights/network-weights.ts'
import type { WeightsMap } from '../../weights/weights-map.ts'

/** How the graphs of a plan are built for a device. */
export type GraphWays = Pick<StepGraphOptions, 'opSet' | 'weightBits' | 'ring'>

/** What the thread of graph-maker.ts is asked: the step of so many rows, or with `batch` null the stages of a window. */
export interface GraphTask {
  plan: Plan
  ways: GraphWays
  batch: number | null
}

/** Errors would lose their class on the way. */
export type GraphAnswer =
  { step: Uint8Array } | { stages: StageGraph[] } | { code: ErrorCode; detail: string }

/** Of the one plan that the thread is for. */
let weights: Promise<WeightsMap> | null = null

export default async function answer({ plan, ways, batch }: GraphTask): Promise<unknown> {
  try {
    weights ??= readNetworkWeights(plan.weightsPath, plan.digest, plan.architecture)
    const options = { ...plan, ...ways, weights: await weights }
    if (batch === null) {
      const stages = buildWindowGraphs(options).map((stage) => ({ ...stage, model: own(stage.model) }))
      return moved(
        { stages },
        stages.map(({ model }) => model)
      )
    }
    const step = own(buildStepGraph({ ...options, batch }))
    return moved({ step }, [step])
  } catch (error) {
    const { code, message, cause } = asLeadlineError(error)
    if (code === 'INTERNAL') process.stderr.write(`${cause instanceof Error ? cause.stack : String(cause)}\n`)
    return { code, detail: message } satisfies GraphAnswer
  }
}

/** In memory of its own, which alone can be moved. */
function own(model: Uint8Array): Uint8Array {
  return model.byteLength === model.buffer.byteLength ? model : Uint8Array.from(model)
}

function moved(value: GraphAnswer, models: readonly Uint8Array[]): unknown {
  const buffers = models.map(({ buffer }) => buffer)
  return move({ [transferableSymbol]: buffers, [valueSymbol]: value } as unknown as ArrayBuffer)
}
