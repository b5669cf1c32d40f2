/** Whether the store and the link can be reached. In one process they always can. */
export interface StoreHealth {
  /** Why not, or null. */
  reason(): string | null
  /** `down` is called once per outage, with the reason; `up` when it is over. Returns how to stop listening. */
  watch(watcher: HealthWatcher): () => void
}

export interface HealthWatcher {
  down(reason: string): void
  up(): void
}

export const alwaysHealthy: StoreHealth = { reason: () => null, watch: () => () => {} }
