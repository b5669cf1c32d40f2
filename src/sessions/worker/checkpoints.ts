import type { ContextOrigin } from '../../wire/context-bytes.ts'
import { packContext } from '../../wire/context-bytes.ts'
import { asLeadlineError, LeadlineError } from '../../errors.ts'
import type { FrameEngine } from '../../frame-engine.ts'
import type { CheckpointEvent, OpenedSession, SessionContext } from '../../session.ts'
import type { CheckpointWish } from '../sessions.ts'

interface CheckpointsOptions {
  sessionId: string
  engine: Pick<FrameEngine, 'context'>
  opened: OpenedSession
  emit: (event: CheckpointEvent) => void
}

/** Saves what a session goes on from, for its client. */
export class Checkpoints {
  readonly #options: CheckpointsOptions
  #newest: CheckpointWish | null = null
  #numSaving = 0

  constructor(options: CheckpointsOptions) {
    this.#options = options
  }

  /** What is saved is of a moment that another worker could not come back to. */
  get isSaving(): boolean {
    return this.#numSaving > 0
  }

  /** To be called in its place among the frames. Who asks again meanwhile has lost the answer with a socket. */
  async save(wish: CheckpointWish): Promise<void> {
    const { emit, engine, sessionId } = this.#options
    const { id, seq } = wish
    this.#newest = wish
    this.#numSaving += 1
    try {
      const context = await engine.context(sessionId, { latents: true })
      if (this.#newest !== wish) return
      const saved = await this.#pack(context, wish)
      if (this.#newest === wish) emit({ type: 'checkpoint', id, seq, saved })
    } catch (error) {
      const { code, message: detail } = asLeadlineError(error)
      emit({ type: 'checkpointFailed', id, code, detail })
    } finally {
      this.#numSaving -= 1
    }
  }

  /** Without latents it is made anew from its frames, exactly as long as those are all. */
  async #pack(context: SessionContext, { seq, maxBytes }: CheckpointWish): Promise<Uint8Array> {
    const origin = originOf(this.#options.opened)
    const bytes = sizeOf(context)
    const isSmall = bytes + (context.latents?.byteLength ?? 0) <= maxBytes
    if (bytes > maxBytes) tooLarge(bytes, maxBytes)
    const packed = await packContext({
      origin,
      seq,
      context: isSmall ? context : { ...context, latents: null }
    })
    if (packed.byteLength > maxBytes) tooLarge(packed.byteLength, maxBytes)
    return packed
  }
}

function originOf({ model, modelDigest, mode, cacheSize }: OpenedSession): ContextOrigin {
  return { model, modelDigest, mode, cacheSize }
}

/** All but its latents and its head. */
function sizeOf({ frames, seam }: SessionContext): number {
  return frames.reduce((bytes, { message }) => bytes + message.byteLength, seam?.byteLength ?? 0)
}

function tooLarge(bytes: number, maxBytes: number): never {
  const detail = `The context of the session has ${bytes} bytes; the server gives at most ${maxBytes} (LEADLINE_MAX_CONTEXT_MIB)`
  throw new LeadlineError('CONTEXT_TOO_LARGE', detail)
}
