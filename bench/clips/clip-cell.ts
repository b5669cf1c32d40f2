import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../../test/helpers/free-port.ts'
import { startLinkProxy } from '../../test/helpers/link-proxy.ts'
import { randomPrefix, startRedis } from '../../test/helpers/redis.ts'
import type { RedisServer } from '../../test/helpers/redis.ts'
import type { Program } from '../faults/program.ts'
import { Service } from '../faults/service.ts'

export interface ClipState {
  state: string
  failure: { code: string } | null
  progress: { frames: number }
  links: { results: Record<string, string> }
}

export interface ClipCellOptions {
  program: Program
  /** For clips and logs. */
  folder: string
  /** Where clips lie; null: in one folder of all gateways. */
  bucketUrl: string | null
  numClips: number
  random: () => number
}

/** A service that takes clips: Redis, two gateways and two workers, processes of their own. Whoever started one closes it. */
export class ClipCell {
  readonly redis: RedisServer
  readonly gateways: Service[] = []
  readonly workers: Service[] = []
  /** Processes that ended by themselves. */
  readonly faults: string[] = []
  readonly #options: ClipCellOptions
  readonly #prefix = randomPrefix()
  #numSent = 0

  static async start(options: ClipCellOptions): Promise<ClipCell> {
    const cell = new ClipCell(options, await startRedis())
    for (const number of [0, 1]) cell.gateways.push(await cell.#service('gateway', number))
    for (const number of [0, 1]) cell.workers.push(await cell.#service('worker', number))
    return cell
  }

  private constructor(options: ClipCellOptions, redis: RedisServer) {
    this.#options = options
    this.redis = redis
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#options.random() * items.length)]!
  }

  /** Resolves with its id. */
  async send(video: Uint8Array<ArrayBuffer>, query: string): Promise<string> {
    const headers = { 'content-type': 'video/mp4', 'idempotency-key': `clip ${this.#numSent++}` }
    const sent = await this.#ask(`/v1/clips${query}`, { method: 'POST', body: video, headers })
    return (JSON.parse(Buffer.from(sent).toString()) as { id: string }).id
  }

  async look(id: string): Promise<ClipState> {
    return JSON.parse(Buffer.from(await this.#ask(`/v1/clips/${id}`)).toString()) as ClipState
  }

  /** What a link of a clip leads to. */
  fetch(link: string): Promise<Uint8Array> {
    return this.#ask(`/v1/clips/${link}`)
  }

  async close(): Promise<void> {
    for (const one of [...this.gateways, ...this.workers]) await one.close('SIGKILL')
    await this.redis.stop()
  }

  /** Of whichever gateway answers, and to the end. */
  async #ask(pathOf: string, init?: RequestInit): Promise<Uint8Array> {
    for (;;) {
      const url = this.pick(this.gateways).said[0] ?? ''
      const response = await fetch(`${url}${pathOf}`, init).catch(() => null)
      const body = response?.ok === true ? await response.arrayBuffer().catch(() => null) : null
      if (body !== null) return new Uint8Array(body)
      await delay(250)
    }
  }

  async #service(kind: 'gateway' | 'worker', number: number): Promise<Service> {
    const { bucketUrl, folder, numClips, program } = this.#options
    const link = await startLinkProxy(this.redis.port)
    const name = `${kind}-${number}`
    const made = new Service({
      ...{ name, program, args: [kind] },
      env: {
        REDIS_URL: `redis://127.0.0.1:${link.port}`,
        ...{ LEADLINE_KEY_PREFIX: this.#prefix, LEADLINE_PORT: String(await freePort()) },
        LEADLINE_DATA_DIR: path.join(folder, bucketUrl === null ? 'shared' : name),
        ...(bucketUrl !== null && bucketSettings(bucketUrl)),
        ...{
          LEADLINE_EXECUTOR: 'fake',
          LEADLINE_MODEL: 'fake',
          LEADLINE_LAME_DUCK_MS: '0',
          LEADLINE_METRICS_PORT: '0'
        },
        LEADLINE_MAX_WAITING_CLIPS: String(numClips)
      },
      announcement: kind === 'gateway' ? /listening: (http:\S+)/ : /serving/,
      ...{ logsFolder: folder, link, onExit: (what: string) => void this.faults.push(what) }
    })
    await made.start()
    return made
  }
}

function bucketSettings(url: string): NodeJS.ProcessEnv {
  return {
    ...{ LEADLINE_BUCKET_URL: url, LEADLINE_BUCKET_REGION: 'us-east-1' },
    ...{ LEADLINE_BUCKET_ACCESS_KEY: 'key', LEADLINE_BUCKET_SECRET_KEY: 'secret' }
  }
}
