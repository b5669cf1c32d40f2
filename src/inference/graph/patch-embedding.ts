import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { imageMean, imageStd } from './image-statistics.ts'
import { linear } from './linear.ts'
import { sliceRows, type Matrix } from './matrix.ts'
import { resamplePositionTable } from './position-table.ts'

/**
 * frame uint8 [B, H, W, 3], RGB → tokens [B*(1+patches), D], positions added. Bytes go in as they are: x/255, mean and
 * deviation are folded into weight and bias. The class token is a row of zeros whose constant is class token plus
 * position, so that it costs no node of its own.
 */
export function patchTokens(context: GraphContext, frame: Value): Value {
  const { graph, ops, architecture, batch, grid } = context
  const { patch } = architecture
  const [rows, columns] = grid
  const patchBytes = patch * patch * 3
  const pixels = ops.movesBytes ? frame : graph.asFloats(frame)
  const strips = graph.reshape(pixels, [batch * rows, patch, columns, patch * 3])
  const patches = graph.reshape(graph.transpose(strips, [0, 2, 1, 3]), [batch, rows * columns, patchBytes])
  const classRow = graph.zeros(ops.movesBytes ? 'uint8' : 'float', [batch, 1, patchBytes])
  const all = graph.node('Concat', [classRow, patches], { attributes: { axis: 1 } })
  const numTokens = rows * columns + 1
  const flat = graph.reshape(all, [batch * numTokens, patchBytes])
  const { weight, bias } = byteWeights(context)
  const positions = positionConstant(context, bias)
  return linear(graph, ops.movesBytes ? graph.asFloats(flat) : flat, weight, graph.matrix(positions))
}

/** [D, 3, patch, patch] on normalised planes → [D, patch*patch*3] on interleaved bytes, and the bias that goes with it. */
function byteWeights({ weights, architecture }: GraphContext): { weight: Matrix; bias: Float32Array } {
  const { patch, embedDim } = architecture
  const source = weights.vector('pretrained.patch_embed.proj.weight')
  const bias = Float32Array.from(weights.vector('pretrained.patch_embed.proj.bias'))
  const numPixels = patch * patch
  const data = new Float32Array(embedDim * numPixels * 3)
  for (let row = 0; row < embedDim; row++) {
    let meanResponse = 0
    for (let channel = 0; channel < 3; channel++) {
      for (let pixel = 0; pixel < numPixels; pixel++) {
        const value = source[(row * 3 + channel) * numPixels + pixel]!
        data[(row * numPixels + pixel) * 3 + channel] = value / (255 * imageStd[channel]!)
        meanResponse += (value * imageMean[channel]!) / imageStd[channel]!
      }
    }
    bias[row]! -= meanResponse
  }
  return { weight: { rows: embedDim, columns: numPixels * 3, data }, bias }
}

/** What every token starts from, [B*(1+patches), D]. */
function positionConstant({ weights, architecture, batch, grid }: GraphContext, bias: Float32Array): Matrix {
  const dim = architecture.embedDim
  const learned = weights.vector('pretrained.pos_embed')
  const table: Matrix = { rows: learned.length / dim, columns: dim, data: learned }
  const [tableRows, tableColumns] = architecture.positionTable
  const patchTable = sliceRows(table, 1, table.rows)
  const positions = resamplePositionTable(patchTable, [tableRows!, tableColumns!], grid)
  const classToken = weights.vector('pretrained.cls_token')
  const sample = new Float32Array((positions.rows + 1) * dim)
  for (let channel = 0; channel < dim; channel++) sample[channel] = classToken[channel]! + learned[channel]!
  for (let cell = 0; cell < positions.rows; cell++)
    for (let channel = 0; channel < dim; channel++)
      sample[(cell + 1) * dim + channel] = positions.data[cell * dim + channel]! + bias[channel]!
  const data = new Float32Array(batch * sample.length)
  for (let row = 0; row < batch; row++) data.set(sample, row * sample.length)
  return { rows: batch * (positions.rows + 1), columns: dim, data }
}
