import { decodeFloat16 } from '../../maps/float16.ts'

/** The element types that weights are stored in, by their safetensors names. */
export const bytesPerElement = { F32: 4, F16: 2, BF16: 2 } as const
export type ElementType = keyof typeof bytesPerElement

/**
 * Little-endian elements as float32; a view where the bytes are aligned float32, else a copy. (Every platform that
 * ONNX Runtime ships for is little-endian.)
 */
export function decodeElements(bytes: Uint8Array, type: ElementType): Float32Array {
  const width = bytesPerElement[type]
  const { buffer, byteOffset, length } = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes)
  if (type === 'F32') return new Float32Array(buffer, byteOffset, length / 4)
  const halves = new Uint16Array(buffer, byteOffset, length / 2)
  return type === 'F16' ? decodeFloat16(halves) : decodeBfloat16(halves)
}

/** bfloat16 is the upper half of a float32. */
function decodeBfloat16(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length)
  const bits = new Uint32Array(values.buffer)
  for (let index = 0; index < halves.length; index++) bits[index] = halves[index]! << 16
  return values
}
