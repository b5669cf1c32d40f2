import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, onTestFinished, test } from 'vitest'
import { GraphBuilder } from '../../../src/inference/graph/graph-builder.ts'
import { quantize, quantizeColumns, quantizedLinear } from '../../../src/inference/graph/quantized-linear.ts'
import { exactWeightBits, thisProcessor, type WeightBits } from '../../../src/inference/cpu-features.ts'

const [rows, inputs, outputs] = [3, 66, 34]

/** The largest of products: each activation is the largest byte, each weight the largest or the smallest there is. */
async function largestProducts(weightBits: WeightBits): Promise<number[]> {
  const graph = new GraphBuilder()
  const x = graph.input('x', 'float32', [rows, inputs])
  graph.output('y', [rows, outputs])
  const data = Float32Array.from({ length: outputs * inputs }, (_, i) => (i < inputs * 17 ? 1 : -1))
  const weight = { rows: outputs, columns: inputs, data }
  const product = quantizedLinear({ graph, weightBits }, quantize(graph, x), weight)
  graph.node('Identity', [product], { outputs: ['y'] })
  const session = await InferenceSession.create(graph.toModel(), { logSeverityLevel: 3 })
  onTestFinished(() => session.release())
  const ones = new Tensor('float32', new Float32Array(rows * inputs).fill(1), [rows, inputs])
  return Array.from((await session.run({ x: ones })).y!.data as Float32Array)
}

test.each([...new Set([7, exactWeightBits(thisProcessor())] as const)])(
  'no product is cut off on this processor (weights of %i bits)',
  async (weightBits) => {
    const products = await largestProducts(weightBits)
    for (const [i, product] of products.entries())
      expect(product).toBeCloseTo(i % outputs < 17 ? inputs : -inputs, 3)
  }
)

test('two products of the largest byte and weights of 7 bits fit into 16 bits', () => {
  const data = Float32Array.of(0.3, -0.7, 1e-20, 5e30, -5e30, 0)
  const { bytes } = quantizeColumns({ rows: 2, columns: 3, data }, 7)
  const largest = Math.max(...bytes.map(Math.abs))
  expect(largest).toBe(64)
  expect(2 * 255 * largest).toBeLessThan(2 ** 15)
})
