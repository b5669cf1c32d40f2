import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { addLinearLayer, linearLayers } from './linear-layers.ts'
import { multiply, sliceRows, transpose, type Matrix } from './matrix.ts'
import { absorbPositions, type AttentionWeights } from './position-projection.ts'
import type { WindowInputs } from './window-inputs.ts'

/**
 * Up to this many channels the query and key weights are multiplied out into one matrix per head (and value and
 * output weights likewise). That costs 8C² instead of 2C² multiplications per position, but saves two transposes
 * of [positions, heads, C], which weigh more while C is small.
 */
const MAX_MERGED_CHANNELS = 64

/** Where one temporal attention stands in the graph. */
export interface AttentionSite {
  /** Residual stream, [B*P, C]. */
  hidden: Value
  /** LayerNorm of it, the latent, [P, C] per row of the batch. */
  latents: readonly Value[]
  /** Ring of latents, [L, P, C] per row of the batch, the frame's own among them. */
  caches: readonly Value[]
  /** P, spatial positions of one frame. */
  rows: number
}

/**
 * Attention of every position to its own past, in the absorbed form: keys and values are never projected. A head's
 * score of a cached latent x is (Wkᵀ q)·x, its context is the weighted sum of the cached latents themselves, and Wv is
 * applied after the sum. Returns hidden + attention.
 */
export function temporalAttention(
  context: GraphContext,
  weights: AttentionWeights,
  site: AttentionSite,
  window: WindowInputs
): Value {
  const { graph, ops, batch } = context
  const { slots } = context.window
  const { heads } = weights
  const channels = weights.query.columns
  const allRows = batch * site.rows
  const absorbed = absorbPositions(weights)
  const merged = channels <= MAX_MERGED_CHANNELS

  const queryPosition = graph.node('Gather', [graph.matrix(absorbed.positions), window.queryPosition])
  // Read from the rows' own latents, so that no ring is read before they are written.
  const positioned = addPerSample(context, graph.join(site.latents), queryPosition, site.rows)
  const query = merged
    ? mergedQuery(context, weights, absorbed.query, positioned)
    : factoredQuery(context, weights, absorbed.query, positioned)
  const positionScores = multiplyPerSample(context, {
    x: positioned,
    table: window.scoreTable(absorbed.positionScores),
    addend: window.maskRow,
    rows: site.rows,
    columns: heads * slots
  })
  const contentScores = eachRow(context, query, (part, row) => ops.slotScores(graph, part, site.caches[row]!))
  const scores = graph.add(contentScores, graph.reshape(positionScores, [allRows, heads, slots]))
  const attention = graph.node('Softmax', [scores], { attributes: { axis: -1 } })

  const contextSum = eachRow(context, attention, (part, row) => ops.slotSum(graph, part, site.caches[row]!))
  const withPositions = multiplyPerSample(context, {
    x: graph.reshape(attention, [allRows, heads * slots]),
    table: window.valueTable(absorbed.positionValues),
    addend: site.hidden,
    rows: site.rows,
    columns: channels
  })
  return merged
    ? mergedOutput(context, weights, contextSum, withPositions)
    : factoredOutput(context, weights, contextSum, withPositions)
}

/** What `work` makes of each row's part of x [B*P, ...], joined. Rows never meet: each reads its own ring. */
function eachRow({ graph, batch }: GraphContext, x: Value, work: (part: Value, row: number) => Value): Value {
  return graph.join(graph.split(x, batch).map(work))
}

/** [R, C] → [R, h, C], one product. */
function mergedQuery(context: GraphContext, weights: AttentionWeights, query: Matrix, x: Value): Value {
  const { heads, key } = weights
  const channels = query.columns
  const data = new Float32Array(heads * channels * channels)
  for (let head = 0; head < heads; head++) {
    const headKey = headRows(key, head, heads)
    const product = multiply(transpose(headKey), headRows(query, head, heads))
    data.set(product.data, head * channels * channels)
  }
  const weight = { rows: heads * channels, columns: channels, data }
  return context.graph.reshape(linearLayers(context, x, [{ weight }])[0]!, [-1, heads, channels])
}

/** [R, C] → [R, h, C], query first, then each head's key weight. */
function factoredQuery(context: GraphContext, weights: AttentionWeights, query: Matrix, x: Value): Value {
  const { graph } = context
  const { heads, key } = weights
  const channels = query.columns
  const headDim = channels / heads
  const [queries] = linearLayers(context, x, [{ weight: query }])
  const perHead = graph.transpose(graph.reshape(queries!, [-1, heads, headDim]), [1, 0, 2])
  const keyHeads = graph.constant(key.data, [heads, headDim, channels])
  return graph.transpose(graph.node('MatMul', [perHead, keyHeads]), [1, 0, 2])
}

/** context [R, h, C] → addend + attention output, one product. */
function mergedOutput(context: GraphContext, weights: AttentionWeights, sum: Value, addend: Value): Value {
  const { heads, value, output } = weights
  const channels = output.rows
  const outputTransposed = transpose(output)
  const blocks = new Float32Array(heads * channels * channels)
  for (let head = 0; head < heads; head++) {
    const product = multiply(transpose(headRows(value, head, heads)), headRows(outputTransposed, head, heads))
    blocks.set(product.data, head * channels * channels)
  }
  const weight = transpose({ rows: heads * channels, columns: channels, data: blocks })
  return addLinearLayer(context, addend, context.graph.reshape(sum, [-1, heads * channels]), { weight })
}

/** context [R, h, C] → addend + attention output: each head's value weight, then the output weight. */
function factoredOutput(context: GraphContext, weights: AttentionWeights, sum: Value, addend: Value): Value {
  const { graph } = context
  const { heads, value, output } = weights
  const channels = output.rows
  const headDim = channels / heads
  const valueHeads = new Float32Array(value.data.length)
  for (let head = 0; head < heads; head++)
    valueHeads.set(transpose(headRows(value, head, heads)).data, head * headDim * channels)
  const perHead = graph.node('MatMul', [
    graph.transpose(sum, [1, 0, 2]),
    graph.constant(valueHeads, [heads, channels, headDim])
  ])
  const joined = graph.reshape(graph.transpose(perHead, [1, 0, 2]), [-1, channels])
  return addLinearLayer(context, addend, joined, { weight: output })
}

function headRows(matrix: Matrix, head: number, heads: number): Matrix {
  const headDim = matrix.rows / heads
  return sliceRows(matrix, head * headDim, (head + 1) * headDim)
}

/** x [B*P, C] + perSample [B, C] */
function addPerSample({ graph, batch }: GraphContext, x: Value, perSample: Value, rows: number): Value {
  if (batch === 1) return graph.add(x, perSample)
  const shaped = graph.reshape(x, [batch, rows, -1])
  const sum = graph.add(shaped, graph.node('Unsqueeze', [perSample, graph.integers([1])]))
  return graph.node('Flatten', [sum], { attributes: { axis: 2 } })
}

interface PerSampleProduct {
  /** [B*P, K] */
  x: Value
  /** [B, K, N] */
  table: Value
  /** [B, N] or [B*P, N] */
  addend: Value
  /** P */
  rows: number
  /** N */
  columns: number
}

/** x · table + addend, each sample of the batch with its own table: [B*P, N]. */
function multiplyPerSample({ graph, batch }: GraphContext, product: PerSampleProduct): Value {
  const { x, table, addend, rows, columns } = product
  if (batch === 1) {
    const flatTable = graph.node('Squeeze', [table, graph.integers([0])])
    return graph.node('Gemm', [x, flatTable, addend])
  }
  const sum = graph.add(
    graph.node('MatMul', [graph.reshape(x, [batch, rows, -1]), table]),
    graph.reshape(addend, [batch, -1, columns])
  )
  return graph.reshape(sum, [batch * rows, columns])
}
