import { LeadlineError } from '../../src/errors.ts'
import type { InProcessLink } from '../../src/sessions/embedded/in-process-link.ts'
import type { GatewayLink, WorkerLink } from '../../src/sessions/link.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'

const away = new LeadlineError('STORE_UNAVAILABLE', 'this process is cut off')

/** A gateway's ends of what it shares with others, which can be taken from it. */
export function cuttable(shared: GatewayLink, whole: SessionStore) {
  let isCut = false
  const link: GatewayLink = {
    attach: (route, onEvent, onFailure) => {
      const ends = shared.attach(route, (event) => isCut || onEvent(event), onFailure)
      return { ...ends, send: (command) => isCut || ends.send(command) }
    },
    forget: (...gone) => shared.forget(...gone),
    tell: (workerId, note) => shared.tell(workerId, note),
    keepOnly: (ids) => shared.keepOnly(ids),
    close: async () => {}
  }
  return { link, store: unless(() => isCut, whole), cut: () => void (isCut = true) }
}

/** The same of a worker. */
export function cuttableWorker(shared: InProcessLink, whole: SessionStore) {
  let isCut = false
  const end = shared.workerLink()
  const link: WorkerLink = { ...end, emit: (...args) => isCut || end.emit(...args) }
  const cut = (): void => {
    isCut = true
    void end.close()
  }
  return { link, store: unless(() => isCut, whole), cut }
}

/** The store as a process has it, until it can reach it no more. */
function unless(isCut: () => boolean, whole: SessionStore): SessionStore {
  return new Proxy(whole, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => (isCut() ? Promise.reject(away) : method.apply(target, args))
    }
  })
}
