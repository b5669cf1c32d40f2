import type { Mode } from '../../session.ts'

/** Score added to a slot that must not be seen: its weight after the softmax is 0 (4e-39 where denormals are kept). */
export const HIDDEN = -1e30

/** Frames of Video Depth Anything's window, which its positions were trained for. */
export const VDA_WINDOW = 32
/** How far back vda-stream looks: to frame t-41. */
export const FARTHEST = 41
/** Of the frames just before the current one, how many vda-stream sees. */
const RECENT = 29

/** The rings of a mode: slots hold latents, places are positions in the window that the network knows. */
export interface WindowShape {
  slots: number
  places: number
}

/** `cacheSize` is L of mode ovda; the other modes have windows of their own. */
export function windowShape(mode: Mode, cacheSize: number): WindowShape {
  if (mode === 'ovda') return { slots: cacheSize, places: cacheSize }
  if (mode === 'vda-window') return { slots: VDA_WINDOW, places: VDA_WINDOW }
  // The first frame has a slot of its own, and so has each frame from t-41 to t.
  if (mode === 'vda-stream') return { slots: FARTHEST + 2, places: VDA_WINDOW }
  return { slots: 0, places: 1 }
}

/** How many frames back the network looks, the current one not counted: at least 1. */
export function framesSeenAtOnce({ mode, cacheSize }: { mode: Mode; cacheSize: number }): number {
  return mode === 'vda-stream' ? FARTHEST : mode === 'ovda' ? cacheSize - 1 : 1
}

/** What one row feeds besides its frame and cache; one entry per slot of its ring. */
export interface WindowFeed {
  /** Place of each slot's frame in the window, oldest 0; any valid place where the slot is hidden. */
  positions: Int32Array
  /** 0 where the slot is seen, HIDDEN where not. */
  mask: Float32Array
  queryPosition: number
  /** Slot that takes the new latents before anything reads it. */
  writeSlot: number
  /** Whether the new latents go into every other slot too, once the step has ended. */
  fillsRing: boolean
}

/** The window of a step of a streaming mode, by what was streamed before it. */
export function stepFeed(
  { mode, cacheSize, attendSelf }: { mode: Mode; cacheSize: number; attendSelf: boolean },
  framesSeen: number
): WindowFeed {
  return mode === 'vda-stream' ? anchoredFeed(framesSeen) : windowFeed(framesSeen, cacheSize, attendSelf)
}

/**
 * The window of a ring of `cacheSize` slots (L) after `framesSeen` frames. Frame f lives in slot f mod L. The current
 * frame sees the L-1 frames before it, oldest at position 0; its own latent only if `attendSelf`, or if there is
 * nothing else to see.
 */
export function windowFeed(framesSeen: number, cacheSize: number, attendSelf: boolean): WindowFeed {
  const past = Math.min(framesSeen, cacheSize - 1)
  const oldest = framesSeen - past
  const seesItself = attendSelf || past === 0
  const positions = new Int32Array(cacheSize)
  const mask = new Float32Array(cacheSize).fill(HIDDEN)
  for (let frame = oldest; frame <= framesSeen; frame++) {
    const slot = frame % cacheSize
    positions[slot] = frame - oldest
    if (frame < framesSeen || seesItself) mask[slot] = 0
  }
  return { positions, mask, queryPosition: past, writeSlot: framesSeen % cacheSize, fillsRing: false }
}

/**
 * The window of Video Depth Anything's training-free streaming mode: the first frame, frame t-41, the last 29 and the
 * current one, at places 0 to 31. Its first frame fills the ring, so that it stands wherever a frame before it would:
 * frames -41 to 0 are the first. Slot 0 keeps it for good; frame f lives in slot 1 + (f-1) mod 42.
 */
export function anchoredFeed(framesSeen: number): WindowFeed {
  const { slots } = windowShape('vda-stream', VDA_WINDOW)
  const positions = new Int32Array(slots)
  const mask = new Float32Array(slots).fill(HIDDEN)
  const see = (slot: number, place: number): void => {
    positions[slot] = place
    mask[slot] = 0
  }
  see(0, 0)
  if (framesSeen === 0) return { positions, mask, queryPosition: 0, writeSlot: 0, fillsRing: true }
  const ringSlot = (frame: number): number => 1 + ((frame + FARTHEST) % (FARTHEST + 1))
  see(ringSlot(framesSeen - FARTHEST), 1)
  for (let back = 0; back <= RECENT; back++) see(ringSlot(framesSeen - back), VDA_WINDOW - 1 - back)
  return {
    positions,
    mask,
    queryPosition: VDA_WINDOW - 1,
    writeSlot: ringSlot(framesSeen),
    fillsRing: false
  }
}
