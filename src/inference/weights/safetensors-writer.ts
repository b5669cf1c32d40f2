import { encodeFloat16 } from '../../maps/float16.ts'
import type { WeightsMap } from './weights-map.ts'

export type StoredDtype = 'float32' | 'float16'

/**
 * A .safetensors file; tensors in the map's order, the header padded so that data begins at a multiple of 8. `metadata`
 * goes into the header.
 */
export function writeSafetensors(
  weights: WeightsMap,
  dtype: StoredDtype,
  metadata: Readonly<Record<string, string>> = {}
): Uint8Array {
  const width = dtype === 'float32' ? 4 : 2
  const header: Record<string, unknown> = { __metadata__: { format: 'pt', ...metadata } }
  let offset = 0
  for (const [name, { shape, data }] of weights) {
    const end = offset + data.length * width
    header[name] = { dtype: dtype === 'float32' ? 'F32' : 'F16', shape, data_offsets: [offset, end] }
    offset = end
  }
  const json = Buffer.from(JSON.stringify(header))
  const headerBytes = Math.ceil(json.length / 8) * 8
  const file = Buffer.alloc(8 + headerBytes + offset)
  file.writeBigUInt64LE(BigInt(headerBytes), 0)
  file.fill(' ', 8, 8 + headerBytes)
  json.copy(file, 8)
  let position = 8 + headerBytes
  for (const { data } of weights.values()) {
    const stored = dtype === 'float32' ? data : encodeFloat16(data)
    file.set(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength), position)
    position += stored.byteLength
  }
  return file
}
