import { LeadlineError } from '../../../errors.ts'
import type { Plan } from '../../executor.ts'
import { readNetworkWeights } from '../../weights/network-weights.ts'
import { OrtModel, type BuildOptions } from './ort-model.ts'
import { OrtWindowModel } from './ort-window-model.ts'

export type OrtNetwork = OrtModel | OrtWindowModel
export type NetworkOptions = Omit<BuildOptions, 'weights'>

/** Reads and checks the weights of a plan, builds its network, loads it and runs it once. */
export async function loadNetwork(plan: Plan, options: NetworkOptions): Promise<OrtNetwork> {
  const { weightsPath, digest, architecture } = plan
  if (plan.precision === 'fp16')
    throw new LeadlineError(
      'EXECUTOR_FAILED',
      'ort-node keeps its caches in float32; for fp16 take LEADLINE_EXECUTOR=ort-capi'
    )
  const weights = await readNetworkWeights(weightsPath, digest, architecture)
  const Network = plan.mode === 'vda-window' ? OrtWindowModel : OrtModel
  const network = await Network.build(plan, { ...options, weights })
  await network.warmUp()
  return network
}
