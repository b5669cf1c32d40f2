import { setTimeout as pause } from 'node:timers/promises'
import type { Message, Shown, Told, Ledger } from './peer.ts'
import { describe, Peer } from './peer.ts'
import { holds, skip } from './check.ts'

export interface Target {
  /** `ws://` or `wss://`, with the path of the stream. */
  url: URL
  key: string | null
  /** Null: the server's choice. */
  model: string | null
  /** For anything that is due. */
  patienceMs: number
}

export interface Ready extends Told {
  session: string
  resumeToken: string
  epoch: number
  model: string
  quantity: string
  mode: string
  cacheSize: number
  limits: {
    maxInFlight: number
    maxFrameBytes: number
    maxPixels: number
    idleTimeoutMs: number
    graceMs: number
  }
  resumed?: { continuity: string; digest: string | null; seq: number; after: number }
  continued?: { continuity: string; digest: string | null; seq: number }
}
export type Opened = Peer & { ready: Ready }

/** What a check works with: sockets to the server, all of them gone when it is over. */
export class Bench {
  readonly target: Target
  readonly #peers: Peer[] = []

  constructor(target: Target) {
    this.target = target
  }

  /** A socket of a client that may use the server. */
  connect({ protocols, headers }: Shown = {}, ledger?: Ledger): Promise<Peer> {
    return this.connectAs(
      { ...(protocols ? { protocols } : {}), headers: { ...this.credentials, ...headers } },
      ledger
    )
  }

  /** A socket of whoever shows this. */
  async connectAs(shown: Shown, ledger?: Ledger): Promise<Peer> {
    const { patienceMs, url } = this.target
    const peer = await Peer.connect(url.href, shown, { patienceMs, ledger })
    this.#peers.push(peer)
    return peer
  }

  get credentials(): Record<string, string> {
    return this.target.key === null ? {} : { authorization: `Bearer ${this.target.key}` }
  }

  /** A session. Asks again while the server has no place: that of the check before may not be free yet. */
  async open(config: object = {}): Promise<Opened> {
    const untilMs = performance.now() + this.target.patienceMs
    for (;;) {
      const peer = await this.connect()
      peer.send(this.config(config))
      const answer = await peer.next()
      if (answer.type === 'ready') return Object.assign(peer, { ready: answer as Ready })
      const { temporary, retryAfterMs = 0 } = answer as { temporary?: boolean; retryAfterMs?: number }
      const isOver = temporary !== true || performance.now() > untilMs
      holds(!isOver, `"ready" was due, and this came: ${describe(answer)}`)
      await pause(retryAfterMs)
    }
  }

  /** The same of a session that outlives its socket; skipped where the server keeps none. */
  async openKept(config: object = {}): Promise<Opened> {
    const opened = await this.open({ delivery: 'lossless', ...config, resumable: true })
    if (opened.ready.limits.graceMs === 0) skip('the server keeps no sessions: graceMs is 0')
    return opened
  }

  config(more: object): object {
    const { model } = this.target
    return { type: 'config', ...(model === null ? {} : { model }), ...more }
  }

  /** Come back to a session as a client that has the outcomes up to `seq`; gives the answer to it. */
  async comeBack(
    { ready, ledger }: Opened,
    { seq, token = ready.resumeToken, ...more }: { seq: number; token?: string; credit?: number }
  ): Promise<{ peer: Peer; answer: Message }> {
    const peer = await this.connect({}, ledger.backAt(seq))
    const { session, epoch } = ready
    peer.send({ type: 'config', resume: { session, token, epoch: seq < 0 ? 0 : epoch, seq }, ...more })
    return { peer, answer: await peer.next() }
  }

  /** The same, where it must succeed. */
  async resume(opened: Opened, place: { seq: number; token?: string; credit?: number }): Promise<Opened> {
    const { peer, answer } = await this.comeBack(opened, place)
    holds(answer.type === 'ready', `"ready" was due, and this came: ${describe(answer)}`)
    return Object.assign(peer, { ready: answer as Ready })
  }

  end(): void {
    for (const peer of this.#peers) peer.ws.close(1000)
    // A session whose socket was cut may be kept; whoever closed with 1000 has freed its own.
    for (const peer of this.#peers) setTimeout(() => peer.ws.terminate(), 2000).unref()
  }
}
