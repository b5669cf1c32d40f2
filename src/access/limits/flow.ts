/** What comes by a key just now, let in or not. */
export interface Flow {
  framesPerSecond: number
  megapixelsPerSecond: number
  bytesInFlight: number
}

export const noFlow: Flow = { framesPerSecond: 0, megapixelsPerSecond: 0, bytesInFlight: 0 }

/**
 * How gateways tell each other what comes by a key, about once a second. One contract suite runs on every form
 * (test/contract/flow-exchange.suite.ts). Methods throw STORE_UNAVAILABLE.
 */
export interface FlowExchange {
  /** Say what comes here; it counts for `ttlMs`. What comes at all others together. */
  swap(keyId: string, here: Flow, ttlMs: number): Promise<Flow>
}

/** Of a gateway that is alone. */
export const alone: FlowExchange = { swap: async () => noFlow }

export function sum(flows: readonly Flow[]): Flow {
  return flows.reduce(
    (all, one) => ({
      framesPerSecond: all.framesPerSecond + one.framesPerSecond,
      megapixelsPerSecond: all.megapixelsPerSecond + one.megapixelsPerSecond,
      bytesInFlight: all.bytesInFlight + one.bytesInFlight
    }),
    noFlow
  )
}
