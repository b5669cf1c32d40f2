import type { Matrix } from './matrix.ts'

/**
 * Smooth functions of each cell's place, [rows*columns, 13]: y, x, y², x², yx, then for k = 1 and 2, for y and x, sine and
 * cosine of πk times it. y and x are those of the cell's centre, from -1 to 1 over the whole map.
 */
export function coordinates([rows, columns]: readonly [number, number]): Matrix {
  const cells = Array.from({ length: rows * columns }, (_, cell) => {
    const y = centre(Math.floor(cell / columns), rows)
    const x = centre(cell % columns, columns)
    const waves = [1, 2].flatMap((k) => [y, x].flatMap((axis) => wave(Math.PI * k * axis)))
    return [y, x, y * y, x * x, y * x, ...waves]
  })
  return { rows: cells.length, columns: cells[0]!.length, data: Float32Array.from(cells.flat()) }
}

function centre(cell: number, cells: number): number {
  return (2 * cell + 1) / cells - 1
}

function wave(angle: number): [number, number] {
  return [Math.sin(angle), Math.cos(angle)]
}
