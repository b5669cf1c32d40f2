/** A dense float32 matrix, row-major. The algebra that folds constants into weights before a graph is written. */
export interface Matrix {
  rows: number
  columns: number
  data: Float32Array
}

export function transpose({ rows, columns, data }: Matrix): Matrix {
  const result = new Float32Array(data.length)
  // Tiles keep both sides in the processor's cache; a plain double loop is several times slower on big weights.
  const tile = 32
  for (let row0 = 0; row0 < rows; row0 += tile) {
    const rowEnd = Math.min(row0 + tile, rows)
    for (let column0 = 0; column0 < columns; column0 += tile) {
      const columnEnd = Math.min(column0 + tile, columns)
      for (let row = row0; row < rowEnd; row++)
        for (let column = column0; column < columnEnd; column++)
          result[column * rows + row] = data[row * columns + column]!
    }
  }
  return { rows: columns, columns: rows, data: result }
}

/** Sums are kept in float64, so that a folded weight is as exact as float32 can hold. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const data = new Float32Array(a.rows * b.columns)
  const sums = new Float64Array(b.columns)
  for (let row = 0; row < a.rows; row++) {
    sums.fill(0)
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[row * a.columns + k]!
      const offset = k * b.columns
      for (let column = 0; column < b.columns; column++) sums[column]! += factor * b.data[offset + column]!
    }
    data.set(sums, row * b.columns)
  }
  return { rows: a.rows, columns: b.columns, data }
}

export function scaleRows({ rows, columns, data }: Matrix, factors: Float32Array): Matrix {
  const result = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    const factor = factors[row]!
    const end = (row + 1) * columns
    for (let index = row * columns; index < end; index++) result[index] = data[index]! * factor
  }
  return { rows, columns, data: result }
}

export function scaleColumns({ rows, columns, data }: Matrix, factors: Float32Array): Matrix {
  const result = new Float32Array(data.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[row * columns + column] = data[row * columns + column]! * factors[column]!
  return { rows, columns, data: result }
}

export function scale({ rows, columns, data }: Matrix, factor: number): Matrix {
  return { rows, columns, data: data.map((value) => value * factor) }
}

export function sliceRows({ columns, data }: Matrix, begin: number, end: number): Matrix {
  return { rows: end - begin, columns, data: data.subarray(begin * columns, end * columns) }
}

export function addVectors(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, index) => value + b[index]!)
}

export function rowVector(data: Float32Array): Matrix {
  return { rows: 1, columns: data.length, data }
}
