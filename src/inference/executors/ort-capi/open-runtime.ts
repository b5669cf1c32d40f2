import type { Precision } from '../../../manifest.ts'
import type { CApi, Pointer } from './c-api.ts'
import type { DeviceSpec } from './device-spec.ts'

/** A library with its environment, on one device, as those see it that are made from it. */
export interface OpenRuntime {
  readonly api: CApi
  readonly device: DeviceSpec
  readonly deviceMemory: Pointer
  readonly hostMemory: Pointer
  createSession(model: Uint8Array, precision: Precision): Promise<Pointer>
  createMover(model: Uint8Array): Promise<Pointer>
}

/** What is made of a session and takes it over; where that fails, the session is released. */
export function owning<T>(session: Pointer, { api }: OpenRuntime, make: () => T): T {
  try {
    return make()
  } catch (error) {
    api.release('session', session)
    throw error
  }
}
