import { addressGroup } from './address-group.ts'

/** 0: no limit. */
export interface AddressLimits {
  /** Connections of an address at once. */
  connections: number
  /** Those of them on which nobody has yet shown who they are and what they want. */
  unproven: number
}

/** One connection as long as it is there. All twice without harm. */
export interface AddressHold {
  /** Who it is has shown a key where one is asked for, and said what is wanted. */
  prove(): void
  leave(): void
}

/** What each address has of a gateway before anybody knows who it is. */
export class AddressGate {
  readonly #limits: AddressLimits
  readonly #held = new Map<string, { connections: number; unproven: number }>()

  constructor(limits: AddressLimits) {
    this.#limits = limits
  }

  /** Addresses that have any. For tests. */
  get size(): number {
    return this.#held.size
  }

  /** One connection more, or why not. */
  enter(address: string): AddressHold | keyof AddressLimits {
    const group = addressGroup(address)
    const held = this.#held.get(group) ?? { connections: 0, unproven: 0 }
    const { connections, unproven } = this.#limits
    if (connections > 0 && held.connections >= connections) return 'connections'
    if (unproven > 0 && held.unproven >= unproven) return 'unproven'
    held.connections += 1
    held.unproven += 1
    this.#held.set(group, held)
    let state: 'unproven' | 'proven' | 'gone' = 'unproven'
    const leave = () => {
      if (state === 'unproven') held.unproven -= 1
      if (state !== 'gone') held.connections -= 1
      state = 'gone'
      if (held.connections === 0) this.#held.delete(group)
    }
    const prove = () => {
      if (state !== 'unproven') return
      held.unproven -= 1
      state = 'proven'
    }
    return { prove, leave }
  }
}
