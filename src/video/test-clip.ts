import { createNoise } from './noise.ts'
import type { Picture } from './ray-caster.ts'
import { drawScene } from './ray-caster.ts'
import type { Size } from './reader.ts'
import { cameraAt, thingsAt } from './test-scene.ts'

export interface ClipOptions extends Size {
  /** Number of frames. */
  frames: number
  /** Frames per second: how far the scene moves from frame to frame. */
  fps: number
}

/**
 * The project's own clip, so that a demonstration needs no file: RGB frames with the true depth of every pixel in metres.
 * Deterministic; drawn as it is read.
 */
export function* generateClip({
  width,
  height,
  frames,
  fps
}: ClipOptions): Generator<Picture, void, undefined> {
  const noise = createNoise()
  for (let i = 0; i < frames; i++) {
    const seconds = i / fps
    yield drawScene({ width, height }, cameraAt(seconds), thingsAt(seconds), noise)
  }
}
