import type { AccessKey } from './access-key.ts'
import type { Owner } from './owner.ts'
import { allows } from './scopes.ts'
import type { Scope } from './scopes.ts'

/** Who asks. `key` null: nobody was asked for one. */
export interface Caller {
  readonly key: AccessKey | null
  /** What may be done with it: of a ticket less than of its key. */
  readonly scopes: readonly Scope[]
}

/** Where no keys are asked for. */
export const anybody: Caller = { key: null, scopes: ['admin'] }

/** Whose a thing is that the caller makes. */
export function ownerOf({ key }: Caller): Owner {
  return key?.id ?? null
}

/** Whose things the caller sees; null: everybody's. To a stranger a thing must look as if it were not there. */
export function reachOf(caller: Caller): Owner {
  return allows(caller.scopes, 'admin') ? null : ownerOf(caller)
}
