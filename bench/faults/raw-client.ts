import { setTimeout as delay } from 'node:timers/promises'
import { RawSession } from './raw-session.ts'
import type { RawWish } from './raw-session.ts'
import { noteRefusal } from './session-log.ts'
import type { Crowd } from './session-log.ts'

export interface RawClientOptions {
  crowd: Crowd
  name: string
  wish: Omit<RawWish, 'key'>
  fps: number
  random: () => number
  /** One that mostly does not read. */
  hangs?: boolean
}

/** Between two attempts to reach a server, on average. */
const retryMs = 400
/** For so much longer than the servers keep a session its client does not give it up. */
const marginMs = 3000
const stayMs = [2000, 20_000] as const
const awayMs = [0, 4000] as const
const pauseMs = [500, 6000] as const
/** Longer than a server bears it. */
const hangMs = 45_000

/** What a client may do after it has stayed for a while; the numbers are how often, in hundredths. */
const whims = { close: 25, crash: 30, detach: 10, abandon: 5, pause: 15, reset: 15 } as const
type Whim = keyof typeof whims

/** A client without a library between, which comes and goes as it likes. */
export class RawClient {
  readonly #options: RawClientOptions
  #sessions = 0

  constructor(options: RawClientOptions) {
    this.#options = options
  }

  /** Session after session, until the crowd ends. */
  async run(): Promise<void> {
    const { crowd, name, wish } = this.#options
    while (crowd.phase !== 'ending') {
      const session = new RawSession(crowd, { ...wish, key: `${name}.${this.#sessions++}` })
      if (await session.attach(this.#gateway())) await this.#live(session)
      else await this.#pause(retryMs)
    }
  }

  async #live(session: RawSession): Promise<void> {
    const { crowd, fps, hangs = false } = this.#options
    const camera = setInterval(() => session.sendFrame(), 1000 / fps)
    try {
      while (!session.isOver) {
        if (hangs) await this.#hang(session, hangMs)
        const isCut = await this.#stay(session)
        if (crowd.phase === 'ending') await session.close()
        else if (!isCut && crowd.phase === 'restless') await this.#follow(session, this.#whim())
        if (!session.isOver && !session.isAttached) await this.#comeBack(session)
      }
    } finally {
      clearInterval(camera)
    }
  }

  /** For a while; whether the socket ended meanwhile. */
  async #stay(session: RawSession): Promise<boolean> {
    const cut = session.untilCut().then(() => true)
    return Promise.race([cut, this.#pause(this.#draw(stayMs)).then(() => false)])
  }

  async #follow(session: RawSession, whim: Whim): Promise<void> {
    session.flush()
    if (whim === 'close') return session.close()
    if (whim === 'reset') return session.reset()
    if (whim === 'pause') {
      return this.#hang(session, this.#draw(pauseMs))
    }
    if (whim === 'detach' && session.isResumable) session.detach()
    else session.crash()
    await session.untilCut()
    if (whim === 'abandon' || !session.isResumable) session.abandon()
    else await this.#pause(this.#draw(awayMs))
  }

  /** Read nothing for so long. */
  async #hang(session: RawSession, ms: number): Promise<void> {
    const stuck = { key: session.key, fromMs: performance.now(), toMs: Infinity }
    this.#options.crowd.stuck.push(stuck)
    session.pause()
    await this.#pause(ms)
    session.resume()
    stuck.toMs = performance.now()
  }

  /** By any gateway, until the session is attached again or known to be over. */
  async #comeBack(session: RawSession): Promise<void> {
    if (!session.isResumable) return session.fail(session.lastCode)
    const untilMs = performance.now() + session.graceMs + marginMs
    while (performance.now() < untilMs) {
      if (session.isLost) return session.fail(session.lastCode)
      if (await session.attach(this.#gateway())) return
      noteRefusal(this.#options.crowd, `resume: ${session.lastCode}`)
      await delay(retryMs * (0.5 + this.#options.random()))
    }
    session.fail('GRACE_OVER')
  }

  #gateway(): number {
    return Math.floor(this.#options.random() * this.#options.crowd.doors.length)
  }

  #whim(): Whim {
    let left = this.#options.random() * 100
    for (const [whim, weight] of Object.entries(whims)) if ((left -= weight) < 0) return whim as Whim
    return 'crash'
  }

  #draw([least, most]: readonly [number, number]): number {
    return least + this.#options.random() * (most - least)
  }

  /** Not longer than the crowd goes on. */
  async #pause(ms: number): Promise<void> {
    await Promise.race([delay(ms), this.#options.crowd.ending])
  }
}
