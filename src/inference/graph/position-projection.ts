import { multiply, scale, sliceRows, transpose, type Matrix } from './matrix.ts'

/** Weights of one temporal attention in the absorbed form; h heads, L places in the window. */
export interface AbsorbedWeights {
  /** pe, [L, C] */
  positions: Matrix
  /** Scaled query weight, [C, C] as [out, in]. */
  query: Matrix
  /** [C, h*L]: row of (latent + pe of the query) → its score against each place's position alone. */
  positionScores: Matrix
  /** [h*L, C]: weights over places → what the positions alone add to the output; the output's bias is in head 0. */
  positionValues: Matrix
}

export interface AttentionWeights {
  heads: number
  query: Matrix
  key: Matrix
  value: Matrix
  output: Matrix
  outputBias: Float32Array
  /** pe, [L, C] */
  positions: Matrix
}

/**
 * Positions are added before bias-free projections: Wk (a + pe) = Wk a + Wk pe. The second half is constant and never
 * touches the cache. A head's weights sum to one, so the output's bias may ride on the positions of head 0.
 */
export function absorbPositions(weights: AttentionWeights): AbsorbedWeights {
  const { heads, positions } = weights
  const headDim = weights.query.rows / heads
  const query = scale(weights.query, headDim ** -0.5)
  const keys = multiply(positions, transpose(weights.key))
  const values = multiply(positions, transpose(weights.value))
  const channels = query.columns
  const places = positions.rows
  const positionScores = new Float32Array(channels * heads * places)
  const positionValues = new Float32Array(heads * places * channels)
  const outputTransposed = transpose(weights.output)
  for (let head = 0; head < heads; head++) {
    const headColumns = { begin: head * headDim, end: (head + 1) * headDim }
    const headKeys = sliceColumns(keys, headColumns)
    const headQuery = sliceRows(query, headColumns.begin, headColumns.end)
    const scores = transpose(multiply(headKeys, headQuery))
    for (let channel = 0; channel < channels; channel++)
      positionScores.set(
        scores.data.subarray(channel * places, (channel + 1) * places),
        (channel * heads + head) * places
      )
    const headOutput = sliceRows(outputTransposed, headColumns.begin, headColumns.end)
    const headValues = multiply(sliceColumns(values, headColumns), headOutput)
    positionValues.set(headValues.data, head * places * channels)
  }
  for (let place = 0; place < places; place++)
    for (let channel = 0; channel < channels; channel++)
      positionValues[place * channels + channel]! += weights.outputBias[channel]!
  return {
    positions,
    query,
    positionScores: { rows: channels, columns: heads * places, data: positionScores },
    positionValues: { rows: heads * places, columns: channels, data: positionValues }
  }
}

function sliceColumns({ rows, columns, data }: Matrix, range: { begin: number; end: number }): Matrix {
  const width = range.end - range.begin
  const result = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++)
    result.set(data.subarray(row * columns + range.begin, row * columns + range.end), row * width)
  return { rows, columns: width, data: result }
}
