import type { WeightTensor } from '../weights/weights-map.ts'
import type { Grid } from './feature-map.ts'
import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import type { Matrix } from './matrix.ts'
import { quantize, quantizedLinear } from './quantized-linear.ts'

/** Of the kernel: rows and columns from the cell in its middle. */
const KERNEL = [-1, 0, 1].flatMap((row) => [-1, 0, 1].map((column) => [row, column] as const))

export interface Cells {
  /** [1, h*w, C], none below 0. */
  value: Value
  grid: Grid
}

/**
 * The 3x3 convolution called `name` over cells, in 8-bit integers: [1, h*w, C] → [1, h*w / stride², O]. The neighbours of each
 * cell are gathered as bytes and multiplied as one row. ONNX Runtime's own convolution of integers wants the scale of its
 * output before the run, and is slower than floats.
 */
export function quantizedConvolution(
  context: Pick<GraphContext, 'graph' | 'weights' | 'weightBits'>,
  name: string,
  { value, grid }: Cells,
  stride: number
): Value {
  const { graph, weights } = context
  const weight = weights.tensor(`${name}.weight`)
  const channels = weight.shape[1]!
  const { bytes, ...scaling } = quantize(graph, value)
  // Where nothing is below 0, byte 0 is 0, which is what lies around the map.
  const bordered = graph.node('Concat', [bytes, graph.zeros('uint8', [1, 1, channels])], {
    attributes: { axis: 1 }
  })
  const indices = neighbours(grid, stride)
  const gathered = graph.node('Gather', [bordered, graph.integers(indices)], { attributes: { axis: 1 } })
  const rows = graph.reshape(gathered, [1, indices.length / KERNEL.length, KERNEL.length * channels])
  const bias = weights.vector(`${name}.bias`)
  return quantizedLinear(context, { bytes: rows, ...scaling }, byNeighbour(weight), bias)
}

/** For each cell of the result its nine neighbours, row by row, as indices of cells; one past the last is the border. */
function neighbours([rows, columns]: Grid, stride: number): number[] {
  const border = rows * columns
  const cells = Array.from({ length: (rows / stride) * (columns / stride) }, (_, cell) => {
    const row = stride * Math.floor(cell / (columns / stride))
    const column = stride * (cell % (columns / stride))
    return KERNEL.map(([down, across]) => {
      const [y, x] = [row + down, column + across]
      return y < 0 || x < 0 || y >= rows || x >= columns ? border : y * columns + x
    })
  })
  return cells.flat()
}

/** [O, C, 3, 3] → [O, 9*C], channels innermost. */
function byNeighbour({ shape, data }: WeightTensor): Matrix {
  const [rows, channels] = shape as [number, number, number, number]
  const result = new Float32Array(data.length)
  for (let row = 0; row < rows; row++)
    for (let channel = 0; channel < channels; channel++)
      for (let neighbour = 0; neighbour < KERNEL.length; neighbour++)
        result[(row * KERNEL.length + neighbour) * channels + channel] =
          data[(row * channels + channel) * KERNEL.length + neighbour]!
  return { rows, columns: KERNEL.length * channels, data: result }
}
