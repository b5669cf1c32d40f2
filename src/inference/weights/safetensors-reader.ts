import { LeadlineError } from '../../errors.ts'
import { bytesPerElement, decodeElements, type ElementType } from './element-type.ts'
import { elementCount, type WeightsMap, type WeightTensor } from './weights-map.ts'

/** Longest header that the format allows, in bytes. */
const MAX_HEADER_BYTES = 100_000_000

interface Entry {
  dtype: ElementType
  shape: number[]
  data_offsets: [number, number]
}

/**
 * The tensors of a .safetensors file as float32, views on `bytes` where alignment permits. `source` names the bytes in
 * error messages. Throws MODEL_FILE_INVALID with the tensor at fault.
 */
export function readSafetensors(bytes: Uint8Array, source: string): WeightsMap {
  const { header, dataStart } = parseHeader(bytes, source)
  const weights = new Map<string, WeightTensor>()
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const entry = parseEntry(value, name, source)
    weights.set(name, { shape: entry.shape, data: readTensor(bytes, dataStart, entry, name, source) })
  }
  return weights
}

function parseHeader(bytes: Uint8Array, source: string) {
  if (bytes.length < 8)
    throw invalid(source, `has ${bytes.length} bytes, fewer than the 8 of its length field`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = Number(view.getBigUint64(0, true))
  const dataStart = 8 + length
  if (length > MAX_HEADER_BYTES || dataStart > bytes.length)
    throw invalid(source, `announces a header of ${length} bytes, but has ${bytes.length} bytes in all`)
  let header: unknown
  try {
    header = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + 8, length).toString('utf8'))
  } catch (cause) {
    throw invalid(source, 'has a header that is not JSON', cause)
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw invalid(source, 'has a header that is not a JSON object')
  return { header, dataStart }
}

function parseEntry(value: unknown, name: string, source: string): Entry {
  const { dtype, shape, data_offsets: offsets } = value as Partial<Entry>
  if (dtype === undefined || !Object.hasOwn(bytesPerElement, dtype))
    throw invalid(source, `stores ${name} as ${String(dtype)}; use F32, F16 or BF16`)
  if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
    throw invalid(source, `describes ${name} without a shape and two data offsets`)
  return { dtype, shape, data_offsets: [offsets[0]!, offsets[1]!] }
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}

function readTensor(bytes: Uint8Array, dataStart: number, entry: Entry, name: string, source: string) {
  const [begin, end] = entry.data_offsets
  const count = elementCount(entry.shape)
  if (end - begin !== count * bytesPerElement[entry.dtype])
    throw invalid(source, `gives ${name} ${end - begin} bytes for shape [${entry.shape}] of ${entry.dtype}`)
  if (dataStart + end > bytes.length)
    throw invalid(source, `ends before the data of ${name}; the file was cut short`)
  return decodeElements(bytes.subarray(dataStart + begin, dataStart + end), entry.dtype)
}

function invalid(source: string, what: string, cause?: unknown): LeadlineError {
  return new LeadlineError('MODEL_FILE_INVALID', `${source} ${what}`, { cause })
}
