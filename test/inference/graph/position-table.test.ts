import { expect, test } from 'vitest'
import { resamplePositionTable } from '../../../src/inference/graph/position-table.ts'

const table = { rows: 9, columns: 1, data: Float32Array.from({ length: 9 }, (_, cell) => cell ** 1.5) }

// torch.nn.functional.interpolate(table, scale_factor=((rows + 0.1) / 3, (columns + 0.1) / 3), mode="bicubic")
test.each([
  [[4, 2] as const, [-0.2743, 1.66331, 2.45136, 5.93612, 9.25644, 14.6329, 15.70305, 21.91443]],
  [
    [2, 5] as const,
    [0.6033, 1.0766, 1.9743, 3.3207, 4.27284, 11.42988, 12.8384, 15.20411, 17.85189, 19.55142]
  ]
])('a 3x3 table at %j cells is what PyTorch makes of it', (grid, expected) => {
  const { data } = resamplePositionTable(table, [3, 3], grid)
  for (const [index, value] of expected.entries()) expect(data[index]).toBeCloseTo(value, 4)
  expect(data).toHaveLength(expected.length)
})

test('a grid equal to the table is not touched', () => {
  expect(resamplePositionTable(table, [3, 3], [3, 3])).toBe(table)
})
