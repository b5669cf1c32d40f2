import { createHash } from 'node:crypto'
import type { Plan } from '../../executor.ts'
import { windowStages } from '../../latents/window-values.ts'

/** The arithmetic of the executor without a network: what must come out of it, from the frames alone. */

/** What of a plan the fake's numbers depend on. */
export type FakePlan = Pick<Plan, 'mode' | 'width' | 'height'>

/** Everything that a latent has seen, in one hash. */
export type Chain = Uint8Array
export const chainBytes = 32
export const emptyChain: Chain = new Uint8Array(chainBytes)

/** One step of the chain: what was seen before, the position, the frame. */
export function extend(chain: Chain, framesSeen: number, frame: Uint8Array): Chain {
  const position = new Uint8Array(Uint32Array.of(framesSeen).buffer)
  return createHash('sha256').update(chain).update(position).update(frame).digest()
}

/** A frame that sees others: theirs by place, first place first, and its own place. */
export function join(seen: readonly Chain[], place: number, own: Uint8Array): Chain {
  return extend(createHash('sha256').update(Buffer.concat(seen)).digest(), place, own)
}

/**
 * Depth of a frame under a chain: green of the pixel, a horizontal ramp (so that no map is flat) and two numbers out of
 * the hash that lift and stretch the whole map. Another past, another order or a missing frame changes every value.
 */
export function depthOf(chain: Chain, frame: Uint8Array, { width, height }: FakePlan): Float32Array {
  const words = new DataView(chain.buffer, chain.byteOffset)
  const lift = words.getUint32(0, true) / 2 ** 32
  const stretch = 1 + words.getUint32(4, true) / 2 ** 32
  const depth = new Float32Array(width * height)
  for (let i = 0; i < depth.length; i++) {
    depth[i] = lift + stretch * ((frame[i * 3 + 1] ?? 0) / 255 + (i % width) / width)
  }
  return depth
}

/**
 * The depth maps of a fresh state that sees exactly these frames (RGB, height x width x 3, network size) in this order;
 * of mode vda-window, one window of 32.
 */
export function expectedDepths(frames: readonly Uint8Array[], plan: FakePlan): Float32Array[] {
  if (plan.mode === 'vda-stream') return anchoredDepths(frames, plan)
  if (plan.mode === 'vda-window') return windowDepths(frames, plan)
  let chain = emptyChain
  return frames.map((frame, index) => {
    const alone = plan.mode === 'single'
    chain = extend(alone ? emptyChain : chain, alone ? 0 : index, frame)
    return depthOf(chain, frame, plan)
  })
}

/** Frame t sees the first frame, frame t-41 and the last 29; what lies before the first frame is the first frame. */
function anchoredDepths(frames: readonly Uint8Array[], plan: FakePlan): Float32Array[] {
  const chains: Chain[] = []
  return frames.map((frame, t) => {
    const past = [0, t - 41, ...Array.from({ length: 29 }, (_, i) => t - 29 + i)]
    const seen = t === 0 ? [] : past.map((f) => chains[Math.max(0, f)]!)
    const chain = join(seen, seen.length, frame)
    chains.push(chain)
    return depthOf(chain, frame, plan)
  })
}

function windowDepths(frames: readonly Uint8Array[], plan: FakePlan): Float32Array[] {
  let chains = frames.map((frame) => join([], 0, frame))
  for (let stage = 1; stage < windowStages; stage++) {
    const before = chains
    chains = before.map((own, place) => join(before, place, own))
  }
  return chains.map((chain) => depthOf(chain, emptyChain, plan))
}
