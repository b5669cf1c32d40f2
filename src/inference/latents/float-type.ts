import type { Precision } from '../../manifest.ts'

export type FloatType = 'float32' | 'float16'

const bytes: Record<FloatType, number> = { float32: 4, float16: 2 }

/** What weights, activations and latents of a network are held in. int8 is a matter of products alone. */
export function floatTypeOf(precision: Precision | undefined): FloatType {
  return precision === 'fp16' ? 'float16' : 'float32'
}

/** Bytes of one element of a latent cache. */
export function latentElementBytes(precision: Precision | undefined): number {
  return bytes[floatTypeOf(precision)]
}
