import { once } from 'node:events'
import WebSocket from 'ws'
import { subprotocol } from '../../src/wire/control-text.ts'
import { decodeMessage } from '../../src/wire/frame.ts'
import { imageFrame } from './frames.ts'

/** Where a frame's latency went, in milliseconds. */
export interface FrameTimes {
  /** From sending it to having its depth. */
  wholeMs: number
  /** In the worker until its step; being decoded is part of it. */
  queueMs: number
  stepMs: number
  /** On its way, on the event loop, being encoded. */
  restMs: number
}

/** A camera: a frame every `everyMs`, each answered by its depth. */
export class HonestStream {
  readonly #ws: WebSocket
  readonly #jpeg: Uint8Array
  readonly #sentAtMs = new Map<number, number>()
  #seq = 0
  /** Of frames since `takeTimes`. */
  #times: FrameTimes[] = []
  /** What came in place of depth. */
  readonly faults: string[] = []

  static async open(url: string, key: string, jpeg: Uint8Array): Promise<HonestStream> {
    const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, [subprotocol], {
      headers: { authorization: `Bearer ${key}` }
    })
    const stream = new HonestStream(ws, jpeg)
    await once(ws, 'open')
    const ready = new Promise<void>((resolve, reject) => {
      ws.once('message', (data: Buffer) => {
        const text = data.toString()
        if (text.includes('"ready"')) resolve()
        else reject(new Error(text))
      })
    })
    ws.send(JSON.stringify({ type: 'config', delivery: 'lossless' }))
    await ready
    ws.on('message', (data: Buffer, isBinary) => stream.#hear(data, isBinary))
    return stream
  }

  private constructor(ws: WebSocket, jpeg: Uint8Array) {
    this.#ws = ws
    this.#jpeg = jpeg
    ws.on('close', (code) => this.faults.push(`closed with ${code}`))
    ws.on('error', (error) => this.faults.push(error.message))
  }

  get numSent(): number {
    return this.#seq
  }

  get numWaiting(): number {
    return this.#sentAtMs.size
  }

  /** Send at this pace until the signal; a camera that has two frames on their way waits. */
  async play(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const due = performance.now() + everyMs
      if (this.numWaiting < 2) this.send()
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
    }
  }

  send(): void {
    this.#sentAtMs.set(this.#seq, performance.now())
    this.#ws.send(imageFrame(this.#seq++, 'jpeg', this.#jpeg))
  }

  takeTimes(): FrameTimes[] {
    const taken = this.#times
    this.#times = []
    return taken
  }

  close(): void {
    this.#ws.removeAllListeners('close')
    this.#ws.close()
  }

  #hear(data: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      const said = JSON.parse(data.toString()) as { type: string }
      if (said.type === 'error' || said.type === 'drop') this.faults.push(data.toString())
      return
    }
    const { seq, queueUs, computeUs } = decodeMessage(data).header
    const sentAtMs = this.#sentAtMs.get(seq)
    if (sentAtMs === undefined) return void this.faults.push(`frame ${seq} was answered twice`)
    this.#sentAtMs.delete(seq)
    const [wholeMs, queueMs, stepMs] = [performance.now() - sentAtMs, queueUs / 1000, computeUs / 1000]
    this.#times.push({ wholeMs, queueMs, stepMs, restMs: wholeMs - queueMs - stepMs })
  }
}
