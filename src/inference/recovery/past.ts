import type { Size } from '../pixels/resolution.ts'
import type { DepthView } from '../stability/depth-view.ts'
import type { GivenSeam } from '../stability/given-seam.ts'
import type { Scene } from '../stability/scene-cut.ts'
import type { SeenElsewhere } from './cache-history.ts'
import type { UntoldLoss } from './context-notes.ts'

/** A latent cache in the memory of the host. */
export interface HeldLatents {
  planKey: string
  bytes: Uint8Array
}

/** What a session goes on from, as the engine understands it. */
export interface Past extends SeenElsewhere {
  /** Of the frames; null when there is none. */
  size: Size | null
  scene: Scene
  /** Null: learned again from the frames. */
  view: DepthView | null
  /** Where `view` is null: the last map that was handed out. */
  seam: GivenSeam | null
  /** Of which its client is still to be told; null: nothing. */
  loss: UntoldLoss | null
  latents: HeldLatents | null
  /** Nothing is to be made anew: the latents are here, or there are none in this mode. */
  holds: boolean
}
