import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, onTestFinished, test } from 'vitest'
import { randomNumbers } from '../../../bench/random-weights.ts'
import { GraphBuilder } from '../../../src/inference/graph/graph-builder.ts'
import { LayerWeights } from '../../../src/inference/graph/layer-weights.ts'
import { quantizedConvolution } from '../../../src/inference/graph/quantized-convolution.ts'

const [inputs, outputs] = [5, 3]
const next = randomNumbers(1)
const upTo = (limit: number) => Math.round(2 * limit * next())

/** Whole numbers that 8 bits hold: of each output channel the largest is 64, so that a step is worth 1. */
const kernels = Float32Array.from({ length: outputs * inputs * 9 }, (_, i) =>
  i % (inputs * 9) === 0 ? 64 : upTo(63)
)
const bias = Float32Array.of(7, -11, 0)

/** The sum that a convolution is, [h*w, C] → [h*w / stride², O], zeros around the map. */
function convolve(cells: Float32Array, [rows, columns]: readonly [number, number], stride: number): number[] {
  const at = (y: number, x: number, channel: number) =>
    y < 0 || x < 0 || y >= rows || x >= columns ? 0 : cells[(y * columns + x) * inputs + channel]!
  const result: number[] = []
  for (let row = 0; row < rows; row += stride)
    for (let column = 0; column < columns; column += stride)
      for (let output = 0; output < outputs; output++) {
        let sum = bias[output]!
        for (let channel = 0; channel < inputs; channel++)
          for (let tap = 0; tap < 9; tap++) {
            const value = at(row + Math.floor(tap / 3) - 1, column + (tap % 3) - 1, channel)
            sum += kernels[(output * inputs + channel) * 9 + tap]! * value
          }
        result.push(sum)
      }
  return result
}

test.each([
  [1, [4, 6]],
  [2, [4, 6]],
  [2, [2, 2]],
  [1, [1, 1]]
] as const)(
  'whole numbers are convolved without error, with a stride of %i on a map of %j',
  async (stride, grid) => {
    const numCells = grid[0] * grid[1]
    // The largest is 255, so that a step is worth 1.
    const cells = Float32Array.from({ length: numCells * inputs }, (_, i) =>
      i === 0 ? 255 : Math.abs(upTo(255))
    )
    const graph = new GraphBuilder()
    const value = graph.input('x', 'float32', [1, numCells, inputs])
    const weights = new LayerWeights(
      new Map([
        ['c.weight', { shape: [outputs, inputs, 3, 3], data: kernels }],
        ['c.bias', { shape: [outputs], data: bias }]
      ])
    )
    const y = quantizedConvolution({ graph, weights, weightBits: 7 }, 'c', { value, grid }, stride)
    graph.node('Identity', [y], { outputs: ['y'] })
    graph.output('y', [1, numCells / stride ** 2, outputs])
    const session = await InferenceSession.create(graph.toModel(), { logSeverityLevel: 3 })
    onTestFinished(() => session.release())
    const found = (await session.run({ x: new Tensor('float32', cells, [1, numCells, inputs]) })).y!
    expect([...(found.data as Float32Array)]).toEqual(convolve(cells, grid, stride))
  }
)
