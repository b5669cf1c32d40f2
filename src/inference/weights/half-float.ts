/** IEEE 754 binary16 and bfloat16 as bits in a Uint16Array, to and from float32. Node 20 has no Float16Array. */

export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const result = new Float32Array(bits.length)
  const words = new Uint32Array(result.buffer)
  for (let index = 0; index < bits.length; index++) words[index] = widen(bits[index]!)
  return result
}

function widen(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13)
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  // Subnormal: shift the leading bit into the implicit place; clz32 counts from bit 31, the fraction starts at bit 9.
  const shift = Math.clz32(fraction) - 21
  return sign | ((113 - shift) << 23) | ((fraction << (shift + 13)) & 0x7fffff)
}

export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const result = new Float32Array(bits.length)
  const words = new Uint32Array(result.buffer)
  for (let index = 0; index < bits.length; index++) words[index] = bits[index]! << 16
  return result
}

/** Rounds to nearest, ties to even; too large values become infinite. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const result = new Uint16Array(values.length)
  for (let index = 0; index < words.length; index++) result[index] = narrow(words[index]!)
  return result
}

function narrow(word: number): number {
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) return sign | narrowSubnormal(magnitude)
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}

/** Below 2^-14 the result counts units of 2^-24. */
function narrowSubnormal(magnitude: number): number {
  const exponent = magnitude >>> 23
  if (exponent < 102) return 0
  const shift = 126 - exponent
  const fraction = (magnitude & 0x7fffff) | 0x800000
  const floor = fraction >>> shift
  const rest = fraction & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return rest > half || (rest === half && floor % 2 === 1) ? floor + 1 : floor
}
