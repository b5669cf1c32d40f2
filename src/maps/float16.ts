/** IEEE 754 half precision for Node versions without `Float16Array`. Rounds to nearest, ties to even. */

/** The bits of each value as float16, into `halves`; beyond 65504 it becomes infinity. */
export function encodeFloat16(
  values: Float32Array,
  halves: Uint16Array<ArrayBuffer> = new Uint16Array(values.length)
): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) halves[i] = halfBits(bits[i]!)
  return halves
}

function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  // Normal numbers: rebias the exponent (127 to 15), then let the rounding carry run into it.
  if (magnitude >= 0x38800000) {
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
  }
  if (magnitude < 0x33000000) return sign
  const shift = 126 - (magnitude >>> 23)
  const mantissa = (magnitude & 0x7fffff) | 0x800000
  const kept = mantissa >>> shift
  const rest = mantissa - kept * 2 ** shift
  const half = 2 ** (shift - 1)
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0))
}

/** The values that float16 bits stand for. Works on bits: models have tens of millions of them. */
export function decodeFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(halves.length)
  const bits = new Uint32Array(values.buffer)
  for (let i = 0; i < halves.length; i++) bits[i] = singleBits(halves[i] ?? 0)
  return values
}

function singleBits(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 31) return sign | 0x7f800000 | (mantissa << 13)
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13)
  if (mantissa === 0) return sign
  // Subnormal: the leading bit moves into the implicit place, which in float16 is bit 10, or 21 leading zeros.
  const shift = Math.clz32(mantissa) - 21
  return sign | ((113 - shift) << 23) | ((mantissa << (shift + 13)) & 0x7fffff)
}
