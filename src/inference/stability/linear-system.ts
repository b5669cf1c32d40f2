/**
 * x of matrix * x = target, by elimination with pivots. `matrix` is square, row by row; it and `target` are left as they
 * are. An unknown that the equations do not determine is 0.
 */
export function solveLinear(matrix: readonly number[], target: readonly number[]): number[] {
  const count = target.length
  const rows = target.map((value, row) => [...matrix.slice(row * count, (row + 1) * count), value])
  for (let column = 0; column < count; column++) {
    const pivot = pivotRow(rows, column)
    const [taken, here] = [rows[pivot] ?? [], rows[column] ?? []]
    rows[pivot] = here
    rows[column] = taken
    if ((taken[column] ?? 0) === 0) continue
    for (const [index, row] of rows.entries()) if (index !== column) eliminate(row, taken, column)
  }
  return rows.map((row, index) => ((row[index] ?? 0) === 0 ? 0 : (row[count] ?? 0) / (row[index] ?? 1)))
}

function pivotRow(rows: readonly (readonly number[])[], column: number): number {
  let best = column
  for (let row = column + 1; row < rows.length; row++)
    if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[best]?.[column] ?? 0)) best = row
  return best
}

function eliminate(row: number[], pivot: readonly number[], column: number): void {
  const factor = (row[column] ?? 0) / (pivot[column] ?? 1)
  for (let i = column; i < row.length; i++) row[i] = (row[i] ?? 0) - factor * (pivot[i] ?? 0)
}
