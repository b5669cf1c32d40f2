import type { AccessKey } from './access-key.ts'
import { addressGroup } from './limits/address-group.ts'
import type { Opener, Owner } from './owner.ts'
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

/** Of a session that the caller opens from this address. */
export function openerOf(caller: Caller, address: string): Opener {
  const owner = ownerOf(caller)
  return owner === null ? { owner, address: addressGroup(address) } : { owner }
}

/** Whose things the caller sees; null: everybody's. To a stranger a thing must look as if it were not there. */
export function reachOf(caller: Caller): Owner {
  return allows(caller.scopes, 'admin') ? null : ownerOf(caller)
}
