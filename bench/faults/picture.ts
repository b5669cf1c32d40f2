import { createHash } from 'node:crypto'
import { chainBytes, depthOf, extend } from '../../src/inference/executors/fake/fake-depth.ts'
import type { Chain } from '../../src/inference/executors/fake/fake-depth.ts'

/** A size that reaches the fake executor unchanged, so that client and checker know what it is given. */
export const pictureSize = { width: 56, height: 28 }
const block = 14
const plan = { mode: 'ovda' as const, ...pictureSize }

/**
 * The frame with this seq of this session, RGB: blocks of colours that no other frame of any session has. Bright and dark
 * take turns, so that none is blank. Made anew wherever it is wanted, so that nobody has to keep it.
 */
export function picture(session: string, seq: number): Uint8Array<ArrayBuffer> {
  const { width, height } = pictureSize
  const colours = createHash('sha256').update(`${session}/${seq}`).digest()
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = [Math.floor(x / block), Math.floor(y / block)]
      const ground = (column + row) % 2 === 0 ? 20 : 180
      const first = (row * (width / block) + column) * 3
      for (let c = 0; c < 3; c++) rgb[(y * width + x) * 3 + c] = ground + ((colours[first + c] ?? 0) >> 2)
    }
  }
  return rgb
}

/** What a cache has seen. */
export interface Past {
  seen: number
  chain: Chain
  /** The state digest that a server tells of it; see PROTOCOL.md. */
  digest: Buffer
}

export const noPast: Past = { seen: 0, chain: new Uint8Array(chainBytes), digest: Buffer.alloc(32) }

export function after(past: Past, session: string, seq: number): Past {
  const frame = picture(session, seq)
  const number = Buffer.alloc(8)
  number.writeBigUInt64LE(BigInt(seq))
  const payload = createHash('sha256').update(frame).digest()
  return {
    seen: past.seen + 1,
    chain: extend(past.chain, past.seen, frame),
    digest: createHash('sha256').update(past.digest).update(number).update(payload).digest()
  }
}

/** What a depth map must be whose frame was the last that `past` saw, as `depthDigest` tells of the one that came. */
export function expectedDepth(past: Past, session: string, seq: number): string {
  return depthDigest(new Uint8Array(depthOf(past.chain, picture(session, seq), plan).buffer))
}

/** Of a payload of format f32. */
export function depthDigest(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('base64url').slice(0, 12)
}
