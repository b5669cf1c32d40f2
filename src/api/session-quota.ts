import pLimit from 'p-limit'
import type { AccessKey, Caller } from '../access/index.ts'
import { LeadlineError } from '../errors.ts'
import { defaultPriority, highestPriority } from '../session.ts'
import type { OpenWish, Sessions } from '../sessions/index.ts'

/** As many rows are looked at; no limit is as high in earnest. */
const mostRows = 1000

/**
 * How many sessions a key may have at once, and of which priority. They are counted by their rows, so that those count as well
 * whose client is away, or at another gateway. Here a key opens them one after the other; two gateways that count in the same
 * moment may let in one each.
 */
export class SessionQuota {
  readonly #sessions: Sessions
  /** By key, as long as one is being opened. */
  readonly #turns = new Map<string, ReturnType<typeof pLimit>>()

  constructor(sessions: Sessions) {
    this.#sessions = sessions
  }

  /**
   * The same sessions, of which this caller opens none that its key does not allow. `open` throws LIMIT_REACHED and FORBIDDEN
   * too.
   */
  of({ key }: Caller): Sessions {
    if (key === null) return this.#sessions
    const { sessions: limit } = key.limits
    const open: Sessions['open'] = async (wish, onEvent) => {
      const priority = allowedPriority(key, wish)
      const opened = () => this.#sessions.open({ ...wish, priority }, onEvent)
      return limit === undefined ? opened() : this.#inTurn(key, limit, opened)
    }
    return { ...this.#sessions, open }
  }

  async #inTurn<T>(key: AccessKey, limit: number, open: () => Promise<T>): Promise<T> {
    const turns = this.#turns.get(key.id) ?? pLimit(1)
    this.#turns.set(key.id, turns)
    try {
      return await turns(async () => {
        await this.#check(key, limit)
        return open()
      })
    } finally {
      if (turns.activeCount + turns.pendingCount === 0) this.#turns.delete(key.id)
    }
  }

  async #check({ id, name }: AccessKey, limit: number): Promise<void> {
    const { sessions } = await this.#sessions.list({ owner: id, cursor: null, limit: mostRows })
    const open = sessions.filter(({ state }) => state !== 'leaving' && state !== 'lost')
    if (open.length < limit) return
    throw new LeadlineError(
      'LIMIT_REACHED',
      `Key "${name}" may have ${limit} sessions at once, and has them; end one`
    )
  }
}

/**
 * Without a limit nobody goes beyond what whoever says nothing has, so that no client pushes those of others out of device
 * memory. Where the limit is below that, saying nothing is no fault. Throws FORBIDDEN.
 */
function allowedPriority({ name, limits, scopes }: AccessKey, { priority }: OpenWish): number {
  const most = limits.priority ?? (scopes.includes('admin') ? highestPriority : defaultPriority)
  if (priority <= Math.max(most, defaultPriority)) return Math.min(priority, most)
  throw new LeadlineError(
    'FORBIDDEN',
    `Key "${name}" may ask for priority ${most} at most, not ${priority}; ask for less, or make a key with --limit priority=${priority}`
  )
}
