import type { Architecture } from '../../manifest.ts'
import { readVerified } from './digest.ts'
import { checkWeights } from './expected-weights.ts'
import { readSafetensors } from './safetensors-reader.ts'
import type { WeightsMap } from './weights-map.ts'

/** A bundle's weights, proven to be the file that was meant and to fit the architecture. Throws MODEL_FILE_INVALID. */
export async function readNetworkWeights(
  weightsPath: string,
  digest: string,
  architecture: Architecture
): Promise<WeightsMap> {
  const weights = readSafetensors(await readVerified(weightsPath, digest), weightsPath)
  checkWeights(weights, architecture, weightsPath)
  return weights
}
