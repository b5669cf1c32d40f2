import { asLeadlineError } from '../../errors.ts'
import type { LeadlineError } from '../../errors.ts'
import type { EngineSession } from './engine-session.ts'
import { MemoryReservations } from './memory-reservations.ts'
import type { StepLoop } from './step-loop.ts'

export interface ParkingOptions {
  /** Device memory, by session. */
  slots: MemoryReservations
  /** Host memory for the latent caches of parked sessions. */
  capacityBytes: number
  loop: StepLoop
  isOpen: (session: EngineSession) => boolean
}

/**
 * Sessions without device memory. Their latent caches wait in the memory of the host as long as there is room for them; those
 * of the others are made anew from their frames.
 */
export class Parking {
  readonly #options: ParkingOptions
  readonly #room: MemoryReservations
  /** Device memory that a parked session will take again. */
  readonly #claims = new Map<string, number>()

  constructor(options: ParkingOptions) {
    this.#options = options
    this.#room = new MemoryReservations(options.capacityBytes)
  }

  /** Host memory that latent caches of parked sessions hold. */
  get bytes(): number {
    return this.#room.reservedBytes
  }

  get count(): number {
    return this.#claims.size
  }

  /** Resolves with the device memory that is free then, or was before; 0 when the session is not to be parked. */
  async park(session: EngineSession): Promise<number> {
    const release = await session.atBoundary()
    try {
      return await this.#park(session)
    } finally {
      release()
    }
  }

  /** The session takes its device memory again. Returns why it cannot, or null. */
  bringBack(session: EngineSession): LeadlineError | null {
    const { slots } = this.#options
    try {
      slots.reserve(session.id, this.#claims.get(session.id) ?? 0)
    } catch (error) {
      return asLeadlineError(error)
    }
    this.forget(session.id)
    session.isParked = false
    return null
  }

  /** Twice without harm. */
  forget(sessionId: string): void {
    this.#claims.delete(sessionId)
    this.#room.free(sessionId)
  }

  async #park(session: EngineSession): Promise<number> {
    const { slots, loop, isOpen } = this.#options
    const { id } = session
    if (session.isParked) return this.#claims.get(id) ?? 0
    if (session.hasFrames) return 0
    const bytes = slots.bytesOf(id)
    const keepsLatents = session.remembers && this.#room.hasRoomFor(bytes)
    if (keepsLatents) this.#room.reserve(id, bytes)
    const latents = await loop.takeOut(session, { keepsLatents })
    this.#room.free(id)
    if (!isOpen(session)) return 0
    session.putAside(latents)
    // A frame came meanwhile: it goes on where it was.
    if (session.hasFrames) return 0
    if (latents) this.#room.reserve(id, latents.bytes.byteLength)
    session.park()
    slots.free(id)
    this.#claims.set(id, bytes)
    return bytes
  }
}
