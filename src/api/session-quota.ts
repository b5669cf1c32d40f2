import pLimit from 'p-limit'
import type { AccessKey, Caller } from '../access/index.ts'
import { LeadlineError } from '../errors.ts'
import type { Sessions } from '../sessions/index.ts'

/** As many rows are looked at; no limit is as high in earnest. */
const mostRows = 1000

/**
 * How many sessions a key may have at once: counted by their rows, so that those count as well whose client is away, or at
 * another gateway. Here a key opens them one after the other; two gateways that count in the same moment may let in one each.
 */
export class SessionQuota {
  readonly #sessions: Sessions
  /** By key, as long as one is being opened. */
  readonly #turns = new Map<string, ReturnType<typeof pLimit>>()

  constructor(sessions: Sessions) {
    this.#sessions = sessions
  }

  /** The same sessions, of which this caller opens no more than its key allows. `open` throws LIMIT_REACHED too. */
  of({ key }: Caller): Sessions {
    const limit = key?.limits.sessions
    if (key === null || limit === undefined) return this.#sessions
    const open: Sessions['open'] = (...wish) => this.#inTurn(key, limit, () => this.#sessions.open(...wish))
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
