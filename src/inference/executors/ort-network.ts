import type { Plan } from '../executor.ts'
import { readNetworkWeights } from '../weights/network-weights.ts'
import { OrtModel } from './ort-model.ts'
import { OrtWindowModel } from './ort-window-model.ts'

export type OrtNetwork = OrtModel | OrtWindowModel

/** Reads and checks the weights of a plan, builds its network, loads it and runs it once. */
export async function loadNetwork(plan: Plan, threads: number): Promise<OrtNetwork> {
  const { weightsPath, digest, architecture } = plan
  const weights = await readNetworkWeights(weightsPath, digest, architecture)
  const Network = plan.mode === 'vda-window' ? OrtWindowModel : OrtModel
  const network = await Network.build(plan, { weights, threads })
  await network.warmUp()
  return network
}
