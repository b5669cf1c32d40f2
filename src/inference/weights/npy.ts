import { LeadlineError } from '../../errors.ts'
import { elementCount } from './weights-map.ts'

/** An array of NumPy's .npy format; C order. */
export interface NpyArray {
  shape: readonly number[]
  data: Float32Array | Uint8Array
}

const widths = { '<f4': 4, '|u1': 1 } as const

/** float32 or uint8, versions 1 to 3 of the format. Throws DATA_INVALID; `source` names the bytes. */
export function readNpy(bytes: Uint8Array, source: string): NpyArray {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length < 12 || buffer.toString('latin1', 0, 6) !== '\x93NUMPY')
    throw invalid(source, 'is not an .npy file')
  const isVersion1 = buffer[6] === 1
  const headerStart = isVersion1 ? 10 : 12
  const dataStart = headerStart + (isVersion1 ? buffer.readUInt16LE(8) : buffer.readUInt32LE(8))
  const header = buffer.toString('latin1', headerStart, dataStart)
  const type = /'descr':\s*'([^']+)'/.exec(header)?.[1]
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1]
  if (type !== '<f4' && type !== '|u1') throw invalid(source, `has elements of type ${type}; use <f4 or |u1`)
  if (shapeText === undefined || /'fortran_order':\s*True/.test(header))
    throw invalid(source, 'has no shape, or is in Fortran order')
  const shape = shapeText
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number)
  const count = elementCount(shape)
  if (buffer.length < dataStart + count * widths[type])
    throw invalid(source, `is shorter than its shape (${shapeText})`)
  // A copy, since the data need not start at a multiple of the element size.
  const data = new Uint8Array(buffer.subarray(dataStart, dataStart + count * widths[type]))
  return { shape, data: type === '<f4' ? new Float32Array(data.buffer) : data }
}

function invalid(source: string, what: string): LeadlineError {
  return new LeadlineError('DATA_INVALID', `${source} ${what}`)
}
