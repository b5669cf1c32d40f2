import { encodeMessage, decodeMessage, kinds } from '../../src/wire/frame.ts'
import type { Codec, ValidFrame } from '../../src/wire/frame.ts'

/** A frame message as a client would send it. */
export function frameOf(
  seq: number,
  codec: Codec,
  payload: Uint8Array,
  size = { width: 0, height: 0 }
): ValidFrame {
  const message = encodeMessage(
    {
      kind: kinds.frame,
      flags: 0,
      seq,
      timestampUs: seq * 1000 + 7,
      epoch: 0,
      codec,
      dtype: 'u8',
      ...size,
      scale: 1,
      offset: 0,
      rangeMin: 0,
      rangeMax: 0,
      quantity: 'none',
      queueUs: 0,
      computeUs: 0
    },
    payload
  )
  return decodeMessage(message)
}

/** RGB in patches of random colours, a tenth of the shorter side wide, that two different seeds never share. */
export function patches(seed: number, { width, height }: { width: number; height: number }): Uint8Array {
  const patch = Math.max(1, Math.round(Math.min(width, height) / 10))
  const across = Math.ceil(width / patch)
  const colors = noise(seed, { width: across, height: Math.ceil(height / patch) })
  const bytes = new Uint8Array(width * height * 3)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const from = (Math.floor(y / patch) * across + Math.floor(x / patch)) * 3
      bytes.set(colors.subarray(from, from + 3), at)
    }
  }
  return bytes
}

/** RGB noise that two different seeds never share. A session takes it for what it is, and remembers none of it. */
export function noise(seed: number, { width, height }: { width: number; height: number }): Uint8Array {
  const bytes = new Uint8Array(width * height * 3)
  let state = (seed * 2654435761 + 1) >>> 0
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}
