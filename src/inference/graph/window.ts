/** Score added to a slot that must not be seen: its weight after the softmax is exactly 0. */
export const HIDDEN = -1e30

/** What one row feeds besides its frame and cache. The last of the L+1 entries is the frame's own latent. */
export interface WindowFeed {
  /** Place of each slot's frame in the window, oldest 0; any valid place where the slot is hidden. */
  positions: Int32Array
  /** 0 where the slot is seen, HIDDEN where not. */
  mask: Float32Array
  queryPosition: number
  /** Slot that takes the new latents. It is always hidden in the step that writes it. */
  writeSlot: number
}

/**
 * The window of a ring of `cacheSize` slots (L) after `framesSeen` frames. Frame f lives in slot f mod L. The current
 * frame sees the L-1 frames before it, oldest at position 0; its own latent only if `attendSelf`, or if there is
 * nothing else to see.
 */
export function windowFeed(framesSeen: number, cacheSize: number, attendSelf: boolean): WindowFeed {
  const past = Math.min(framesSeen, cacheSize - 1)
  const positions = new Int32Array(cacheSize + 1)
  const mask = new Float32Array(cacheSize + 1).fill(HIDDEN)
  for (let position = 0; position < past; position++) {
    const slot = (framesSeen - past + position) % cacheSize
    positions[slot] = position
    mask[slot] = 0
  }
  positions[cacheSize] = past
  if (attendSelf || past === 0) mask[cacheSize] = 0
  return { positions, mask, queryPosition: past, writeSlot: framesSeen % cacheSize }
}
