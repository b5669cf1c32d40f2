import { LeadlineError } from '../../errors.ts'
import type { WeightsMap, WeightTensor } from '../weights/weights-map.ts'
import type { Matrix } from './matrix.ts'
import type { NormWeights } from './op-set.ts'

/** Tensors by their official names, in the forms that the graph wants. */
export class LayerWeights {
  private readonly weights: WeightsMap

  constructor(weights: WeightsMap) {
    this.weights = weights
  }

  has(name: string): boolean {
    return this.weights.has(name)
  }

  tensor(name: string): WeightTensor {
    const tensor = this.weights.get(name)
    if (tensor === undefined)
      throw new LeadlineError('MODEL_FILE_INVALID', `The weights lack '${name}'; add the model again`)
    return tensor
  }

  vector(name: string): Float32Array {
    return this.tensor(name).data
  }

  /** [out, in]: the first axis against all others. */
  matrix(name: string): Matrix {
    const { shape, data } = this.tensor(name)
    return { rows: shape[0]!, columns: data.length / shape[0]!, data }
  }

  norm(name: string, epsilon: number): NormWeights {
    return { scale: this.vector(`${name}.weight`), bias: this.vector(`${name}.bias`), epsilon }
  }
}
