import { readFileSync } from 'node:fs'

/**
 * The range of 8-bit weights. 8: all of it. 7: half of it, so that instructions which sum two products of a byte and a
 * weight in 16 bits, and cut off what does not fit, cut off nothing: 2 * 255 * 64 < 2^15.
 */
export type WeightBits = 7 | 8

/** A processor by what it has, as Linux names it; `features` is empty where the system does not say. */
export interface Processor {
  /** As Node names it. */
  arch: string
  features: ReadonlySet<string>
}

/** Instructions that multiply 8-bit integers several times faster than floats, and sum the products in 32 bits. */
const fastInt8 = ['amx_int8', 'avx512_vnni', 'avx_vnni', 'asimddp'] as const
/** What ONNX Runtime wants of AVX-512 before it multiplies integers with it. */
const avx512 = ['avx512f', 'avx512dq', 'avx512bw', 'avx512vl'] as const

/** The one that this process runs on. */
export function thisProcessor(): Processor {
  let text = ''
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    // Other systems have no such file.
  }
  return { arch: process.arch, features: featuresIn(text) }
}

/** Of the first core, in the words of /proc/cpuinfo: "flags" on x86, "Features" on ARM. */
export function featuresIn(cpuinfo: string): ReadonlySet<string> {
  const [, list = ''] = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo) ?? []
  return new Set(list.split(/\s+/).filter(Boolean))
}

export function fastInt8Instructions({ features }: Processor): string[] {
  return fastInt8.filter((name) => features.has(name))
}

/**
 * The weights whose 8-bit products ONNX Runtime computes without error. On x64 without VNNI it sums two products in 16
 * bits and cuts off what does not fit; and where it multiplies with AVX-512, it asks for the VNNI of AVX-512. ARM sums in
 * 32 bits with and without `asimddp`.
 */
export function exactWeightBits({ arch, features }: Processor): WeightBits {
  if (arch !== 'x64') return 8
  const vnni = avx512.every((name) => features.has(name)) ? 'avx512_vnni' : 'avx_vnni'
  return features.has(vnni) ? 8 : 7
}
