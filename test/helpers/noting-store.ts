import type { SessionStore } from '../../src/sessions/session-store.ts'

/** A store that says when a move was committed through it, before whoever committed it hears so. */
export function notingStore(whole: SessionStore): {
  store: SessionStore
  onCommit: (call: () => void) => void
} {
  let noted = (): void => {}
  const store = new Proxy(whole, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...args: unknown[]) => {
        const outcome: unknown = await method.apply(target, args)
        if (name === 'commitMove') noted()
        return outcome
      }
    }
  })
  return { store, onCommit: (call) => (noted = call) }
}
