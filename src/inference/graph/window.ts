/** Score added to a slot that must not be seen: its weight after the softmax is 0 (4e-39 where denormals are kept). */
export const HIDDEN = -1e30

/** What one row feeds besides its frame and cache; one entry per slot of its ring. */
export interface WindowFeed {
  /** Place of each slot's frame in the window, oldest 0; any valid place where the slot is hidden. */
  positions: Int32Array
  /** 0 where the slot is seen, HIDDEN where not. */
  mask: Float32Array
  queryPosition: number
  /** Slot that takes the new latents before anything reads it. */
  writeSlot: number
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
  return { positions, mask, queryPosition: past, writeSlot: framesSeen % cacheSize }
}
