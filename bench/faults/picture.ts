import { createHash } from 'node:crypto'
import { chainBytes, extend } from '../../src/inference/executors/fake/fake-depth.ts'
import type { Chain } from '../../src/inference/executors/fake/fake-depth.ts'

/** A size that reaches the fake executor unchanged, so that client and checker know what it is given. */
export const pictureSize = { width: 56, height: 28 }
const block = 14

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

/** What the fake executor's numbers are made of: a depth map is `lift + stretch * pattern` of its own frame. */
export interface Depth {
  lift: number
  stretch: number
}

/** Of a cache whose last frame is the depth map's. */
export function expectedDepth({ chain }: Past): Depth {
  const words = new DataView(chain.buffer, chain.byteOffset)
  return { lift: words.getUint32(0, true) / 2 ** 32, stretch: 1 + words.getUint32(4, true) / 2 ** 32 }
}

/**
 * Read off a payload of format f32; null when it is no depth map of this frame. What a line brings below 0 is told as 0,
 * which is as far as can be.
 */
export function readDepth(payload: Uint8Array, session: string, seq: number): Depth | null {
  const { width, height } = pictureSize
  if (payload.byteLength !== width * height * 4) return null
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const points = patternOf(picture(session, seq)).map((at, i) => ({
    at,
    value: view.getFloat32(i * 4, true)
  }))
  const seen = points.filter(({ value }) => value > 0)
  const first = seen[0]
  if (first === undefined) return null
  const low = seen.reduce((least, point) => (point.at < least.at ? point : least), first)
  const high = seen.reduce((most, point) => (point.at > most.at ? point : most), first)
  const stretch = (high.value - low.value) / (high.at - low.at)
  const lift = low.value - stretch * low.at
  const isWhole = points.every(
    ({ at, value }) => Math.abs(value - Math.max(0, lift + stretch * at)) < tiny * (1 + Math.abs(stretch))
  )
  return isWhole ? { lift, stretch } : null
}

/** Of float32 that was scaled once or twice. */
const tiny = 1e-4

/** See `depthOf` of the fake executor. */
function patternOf(rgb: Uint8Array): number[] {
  const { width, height } = pictureSize
  return Array.from({ length: width * height }, (_, i) => (rgb[i * 3 + 1] ?? 0) / 255 + (i % width) / width)
}

/** How a cache that was made anew is joined to the one before, as `recovered` says it. */
export interface Line {
  scale: number
  offset: number
}

export const noLine: Line = { scale: 1, offset: 0 }
/** Frames that the fake model's window sees at once: the line fades by a factor e in so many. */
const windowFrames = 15

/** One frame on; see docs of `recovered`. */
export function faded({ offset, scale }: Line): Line {
  const kept = Math.exp(-1 / windowFrames)
  return { scale: 1 + (scale - 1) * kept, offset: offset * kept }
}

/** Whether a depth map is what `expected` becomes by the line. */
export function isDepth(depth: Depth, expected: Depth, { offset, scale }: Line): boolean {
  const close = (a: number, b: number): boolean => Math.abs(a - b) < 5 * tiny * (1 + Math.abs(b))
  return close(depth.stretch, scale * expected.stretch) && close(depth.lift, scale * expected.lift + offset)
}
