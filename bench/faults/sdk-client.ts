import { setTimeout as delay } from 'node:timers/promises'
import { connectStream } from '../../src/client/index.ts'
import type { ConnectionEvent, DepthStream } from '../../src/client/index.ts'
import { asLeadlineError } from '../../src/errors.ts'
import { picture, pictureSize, readDepth } from './picture.ts'
import { noteRefusal, SessionLog } from './session-log.ts'
import type { Crowd } from './session-log.ts'

export interface SdkClientOptions {
  crowd: Crowd
  name: string
  fps: number
  random: () => number
}

const retryMs = 400
const stayMs = [3000, 30_000] as const

/** An application on the SDK: it does what the SDK's page says, and nothing about failures but to connect again. */
export class SdkClient {
  readonly #options: SdkClientOptions
  readonly #sent = new WeakMap<DepthStream, number>()
  #sessions = 0

  constructor(options: SdkClientOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    const { crowd } = this.#options
    while (crowd.phase !== 'ending') {
      const gateway = Math.floor(this.#options.random() * crowd.doors.length)
      try {
        await this.#live(gateway)
      } catch (error) {
        noteRefusal(crowd, asLeadlineError(error).code)
        await Promise.race([delay(retryMs), crowd.ending])
      }
    }
  }

  async #live(gateway: number): Promise<void> {
    const { crowd, fps, name, random } = this.#options
    let log: SessionLog | null = null
    const stream = await connectStream({
      url: [...crowd.doors.slice(gateway), ...crowd.doors.slice(0, gateway)],
      config: { model: 'fake', delivery: 'lossless', sceneCut: false, output: { format: 'f32' } },
      onConnection: (event) => noteConnection(log, event)
    })
    const { epoch, limits, session } = stream.ready
    const key = `${name}.${this.#sessions++}`
    const told = { isTold: true, hearsEpochs: true, graceMs: limits.graceMs }
    log = new SessionLog({ key, id: session, delivery: 'lossless', ...told })
    crowd.sessions.push(log.record)
    log.note({ type: 'opened', epoch })
    const own = log
    const camera = setInterval(() => void this.#send(stream, own), 1000 / fps)
    const reading = this.#read(stream, own)
    await Promise.race([
      reading,
      crowd.ending,
      this.#untilBored(stayMs[0] + random() * (stayMs[1] - stayMs[0]))
    ])
    clearInterval(camera)
    const ended = await stream.close().then(
      () => ({ how: 'summary' as const, code: '' }),
      (error: unknown) => ({ how: 'failed' as const, code: asLeadlineError(error).code })
    )
    await reading
    log.note({ type: 'ended', ...ended })
  }

  /** Only restless clients get bored. */
  async #untilBored(ms: number): Promise<void> {
    await delay(ms)
    if (this.#options.crowd.phase === 'steady') await this.#options.crowd.ending
  }

  /** Never more than the stream takes at once: a frame that has to wait is not sent. */
  async #send(stream: DepthStream, log: SessionLog): Promise<void> {
    if (stream.unsettled >= stream.ready.limits.maxInFlight) return
    const next = this.#sent.get(stream) ?? 0
    this.#sent.set(stream, next + 1)
    const frame = { data: picture(log.record.key, next), codec: 'rgb24' as const, ...pictureSize }
    await stream.send(frame).then(
      (seq) => log.note({ type: 'sent', seq }),
      () => {}
    )
  }

  async #read(stream: DepthStream, log: SessionLog): Promise<void> {
    try {
      for await (const outcome of stream.outcomes) {
        const { seq } = outcome
        if (outcome.type === 'drop') log.note({ type: 'drop', seq, reason: outcome.reason })
        else if (outcome.type === 'error') log.note({ type: 'error', seq, code: outcome.error.code })
        else {
          const depth = readDepth(outcome.payload, log.record.key, seq) ?? 'foreign'
          log.note({ type: 'result', seq, epoch: outcome.header.epoch, depth })
        }
      }
    } catch {
      // Told by `close`.
    }
  }
}

function noteConnection(log: SessionLog | null, event: ConnectionEvent): void {
  if (event.type === 'recovered') {
    const { continuity, epoch, seq } = event
    log?.note({ type: 'recovered', seq, epoch, continuity })
  }
  if (event.type === 'lost') log?.note({ type: 'lost' })
  if (event.type !== 'resumed') return
  const { continuity, epoch } = event
  log?.note({ type: 'resumed', continuity, epoch, after: -1, digest: null })
}
