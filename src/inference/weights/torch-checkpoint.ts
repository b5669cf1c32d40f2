import { unzipSync } from 'fflate'
import { LeadlineError } from '../../errors.ts'
import { decodeElements } from './element-type.ts'
import { PickledTensor, type PickleValue } from './pickle-values.ts'
import { unpickle } from './unpickle.ts'
import { elementCount, type WeightsMap, type WeightTensor } from './weights-map.ts'

/**
 * Reads a PyTorch checkpoint (.pth: a zip with one pickle and one record per storage) that is a plain state dict of
 * float tensors. `source` names the bytes in error messages. Throws MODEL_FILE_INVALID with what is not one.
 */
export function readTorchCheckpoint(bytes: Uint8Array, source: string): WeightsMap {
  const records = unzip(bytes, source)
  const pickleName = Object.keys(records).find((name) => name.endsWith('/data.pkl'))
  if (pickleName === undefined) throw invalid(source, 'holds no data.pkl; is it a checkpoint of torch.save?')
  const root = pickleName.slice(0, -'data.pkl'.length)
  const byteOrder = records[`${root}byteorder`]
  if (byteOrder !== undefined && Buffer.from(byteOrder).toString() !== 'little')
    throw invalid(source, 'was saved on a big-endian machine')
  const state = readPickle(records[pickleName]!, source)
  if (!(state instanceof Map)) throw invalid(source, 'holds something other than a state dict')
  const weights = new Map<string, WeightTensor>()
  for (const [key, value] of state) {
    if (typeof key !== 'string' || !(value instanceof PickledTensor))
      throw invalid(source, `holds '${String(key)}', which is not a tensor; save model.state_dict() alone`)
    weights.set(key, readTensor(key, value, records[`${root}data/${value.storage.record}`], source))
  }
  return weights
}

function unzip(bytes: Uint8Array, source: string): Record<string, Uint8Array> {
  try {
    // torch.save stores its records as they are: a compressed one is not its work, and may unpack to any size.
    return unzipSync(bytes, {
      filter: ({ name, compression }) => compression === 0 || compressed(source, name)
    })
  } catch (cause) {
    if (cause instanceof LeadlineError) throw cause
    throw invalid(
      source,
      `(${bytes.length} bytes) begins as a zip file and does not end as one: it was cut short; get it again`,
      cause
    )
  }
}

function readPickle(bytes: Uint8Array, source: string): PickleValue {
  try {
    return unpickle(bytes)
  } catch (cause) {
    if (cause instanceof LeadlineError)
      throw new LeadlineError(cause.code, `${source}: ${cause.message}`, { cause })
    throw cause
  }
}

function compressed(source: string, name: string): never {
  throw invalid(source, `has a compressed record ${name}; give the file as torch.save wrote it`)
}

function readTensor(key: string, tensor: PickledTensor, record: Uint8Array | undefined, source: string) {
  if (record === undefined)
    throw invalid(source, `has no record ${tensor.storage.record}, the data of '${key}'`)
  const elements = decodeElements(record, tensor.storage.type)
  const count = elementCount(tensor.shape)
  const last = tensor.shape.reduce(
    (sum, size, axis) => sum + (size - 1) * tensor.strides[axis]!,
    tensor.offset
  )
  // No storage is viewed more than once over: a stride of 0 would let a small file fill the memory.
  if (count > elements.length || (count > 0 && last >= elements.length))
    throw invalid(
      source,
      `gives '${key}' shape [${tensor.shape}], but its record has ${elements.length} elements`
    )
  const data = isContiguous(tensor)
    ? elements.subarray(tensor.offset, tensor.offset + count)
    : gather(elements, tensor, count)
  return { shape: tensor.shape, data }
}

function isContiguous({ shape, strides }: PickledTensor): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false
    expected *= shape[axis]!
  }
  return true
}

function gather(elements: Float32Array, { shape, strides, offset }: PickledTensor, count: number) {
  const data = new Float32Array(count)
  for (let index = 0; index < count; index++) {
    let rest = index
    let position = offset
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += (rest % shape[axis]!) * strides[axis]!
      rest = Math.floor(rest / shape[axis]!)
    }
    data[index] = elements[position]!
  }
  return data
}

function invalid(source: string, what: string, cause?: unknown): LeadlineError {
  return new LeadlineError('MODEL_FILE_INVALID', `${source} ${what}`, { cause })
}
