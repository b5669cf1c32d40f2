/** How often the leases of gateways were renewed from here: by that Redis is found to have forgotten any. */
export class GatewayLeases {
  readonly #renewals = new Map<string, number>()

  /** `write` puts the number of this renewal, and tells whether the last one stood there. One that fails is tried under the same. */
  async renew(id: string, write: (number: number) => Promise<unknown>): Promise<'renewed' | 'anew'> {
    const number = (this.#renewals.get(id) ?? 0) + 1
    const renewed = await write(number)
    this.#renewals.set(id, number)
    return renewed === 1 ? 'renewed' : 'anew'
  }
}
