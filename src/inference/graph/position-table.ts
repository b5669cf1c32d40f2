import type { Matrix } from './matrix.ts'

/** Coefficient of the cubic kernel that PyTorch's bicubic interpolation uses. */
const CUBIC_A = -0.75

/**
 * DINOv2's learned position table [tableRows*tableColumns, D] at another grid: [rows*columns, D], bicubic as PyTorch
 * does it. DINOv2 passes the scale factor (n + 0.1) / table to the resampler instead of n / table, and official weights
 * were trained with that shift; a grid equal to the table is used untouched.
 */
export function resamplePositionTable(
  table: Matrix,
  tableGrid: readonly [number, number],
  grid: readonly [number, number]
): Matrix {
  const [tableRows, tableColumns] = tableGrid
  const [rows, columns] = grid
  if (tableRows === rows && tableColumns === columns) return table
  const vertical = axisTaps(tableRows, rows)
  const horizontal = axisTaps(tableColumns, columns)
  const channels = table.columns
  const data = new Float32Array(rows * columns * channels)
  const sums = new Float64Array(channels)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      sums.fill(0)
      for (const y of vertical[row]!) {
        for (const x of horizontal[column]!) {
          const weight = y.weight * x.weight
          const offset = (y.cell * tableColumns + x.cell) * channels
          for (let channel = 0; channel < channels; channel++)
            sums[channel]! += weight * table.data[offset + channel]!
        }
      }
      data.set(sums, (row * columns + column) * channels)
    }
  }
  return { rows: rows * columns, columns: channels, data }
}

interface Tap {
  cell: number
  weight: number
}

/** Four taps per output cell; cells beyond the border repeat it. */
function axisTaps(tableCells: number, cells: number): Tap[][] {
  const scale = (cells + 0.1) / tableCells
  return Array.from({ length: cells }, (_, cell) => {
    const source = (cell + 0.5) / scale - 0.5
    const floor = Math.floor(source)
    return [-1, 0, 1, 2].map((offset) => ({
      cell: Math.min(Math.max(floor + offset, 0), tableCells - 1),
      weight: cubic(Math.abs(source - floor - offset))
    }))
  })
}

function cubic(distance: number): number {
  if (distance <= 1) return ((CUBIC_A + 2) * distance - (CUBIC_A + 3)) * distance * distance + 1
  if (distance < 2)
    return ((CUBIC_A * distance - 5 * CUBIC_A) * distance + 8 * CUBIC_A) * distance - 4 * CUBIC_A
  return 0
}
