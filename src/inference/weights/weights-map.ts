export interface WeightTensor {
  shape: readonly number[]
  /** Row-major. */
  data: Float32Array
}

/** Name in the official layout → tensor. */
export type WeightsMap = ReadonlyMap<string, WeightTensor>

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
