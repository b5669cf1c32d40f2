import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, onTestFinished, test } from 'vitest'
import { GraphBuilder } from '../../../src/inference/graph/graph-builder.ts'

test('attributes, constants, names and shapes reach ONNX Runtime as they were meant', async () => {
  const graph = new GraphBuilder()
  const x = graph.input('x', 'float32', [2, 3])
  const moved = graph.transpose(x, [1, 0])
  const leaky = graph.node('LeakyRelu', [moved], { attributes: { alpha: { float: 0.25 } } })
  const table = graph.constant(Float32Array.of(10, 20), [2])
  const rows = graph.node(
    'Resize',
    [graph.reshape(graph.add(leaky, table), [1, 1, 3, 2]), '', '', graph.integers([6, 2])],
    {
      attributes: { mode: 'nearest', axes: [2, 3] }
    }
  )
  graph.node('Flatten', [rows], { attributes: { axis: 2 }, outputs: ['y'] })
  graph.output('y', [1, 12])
  const ortSession = await InferenceSession.create(graph.toModel())
  onTestFinished(() => ortSession.release())
  expect(ortSession.inputNames).toEqual(['x'])
  const { y } = await ortSession.run({ x: new Tensor('float32', [1, -4, 3, 4, 5, -8], [2, 3]) })
  expect(y!.dims).toEqual([1, 12])
  expect([...(y!.data as Float32Array)]).toEqual([11, 24, 11, 24, 9, 25, 9, 25, 13, 18, 13, 18])
})
