import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import WebSocket from 'ws'
import type { Header } from '../../src/wire/frame.ts'
import { decodeMessage, encodeMessage } from '../../src/wire/frame.ts'
import { plainHeader } from '../../src/wire/own-frame.ts'
import type { ServerMessage } from '../../src/wire/protocol.ts'
import { subprotocol } from '../../src/wire/control-text.ts'

export type Received = ServerMessage | ({ type: 'result' } & ReturnType<typeof decodeMessage>)
type Of<T extends Received['type']> = Extract<Received, { type: T }>

/** A client that queues what it receives, so that no test races the socket. Cut when the test ends. */
export interface StreamClient {
  readonly ws: WebSocket
  send(message: object | string | Uint8Array): void
  /** The next message; fails with what ended the stream if it ended. */
  next(): Promise<Received>
  /** The next message, which must be of this type. */
  expect<T extends Received['type']>(type: T): Promise<Of<T>>
  /** What comes before the first of this type, which is taken as well. */
  before(type: Received['type']): Promise<Received[]>
  /** What is left until the socket closes. */
  rest(): Promise<Received[]>
  closed: Promise<{ code: number; reason: string }>
}

/** What a client shows with its handshake. */
export interface Shown {
  headers?: Record<string, string>
  protocols?: readonly string[]
}

export async function connect(
  url: string,
  { headers = {}, protocols = [] }: Shown = {}
): Promise<StreamClient> {
  const offered = [subprotocol, ...protocols]
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, offered, { headers })
  onTestFinished(() => ws.terminate())
  const client = streamClient(ws)
  await once(ws, 'open')
  return client
}

/** Connect, configure and wait for `ready`. */
export async function openStream(
  url: string,
  config: object = {},
  shown: Shown = {}
): Promise<StreamClient & { ready: Of<'ready'> }> {
  const client = await connect(url, shown)
  client.send({ type: 'config', ...config })
  return Object.assign(client, { ready: await client.expect('ready') })
}

function streamClient(ws: WebSocket): StreamClient {
  const queue: Received[] = []
  let wake: () => void = () => undefined
  let isClosed = false
  ws.on('message', (data: Buffer, isBinary) => {
    const message: Received = isBinary
      ? { type: 'result', ...decodeMessage(data) }
      : (JSON.parse(data.toString()) as ServerMessage)
    queue.push(message)
    wake()
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on('close', (code, reason) => {
      isClosed = true
      resolve({ code, reason: reason.toString() })
      wake()
    })
  })
  const take = async (): Promise<Received | undefined> => {
    while (queue.length === 0 && !isClosed) await new Promise<void>((resolve) => (wake = resolve))
    return queue.shift()
  }
  const next = async (): Promise<Received> => {
    const message = await take()
    if (message === undefined) throw new Error(`the stream ended with ${JSON.stringify(await closed)}`)
    return message
  }
  return {
    ws,
    closed,
    next,
    send: (message) =>
      ws.send(
        message instanceof Uint8Array || typeof message === 'string' ? message : JSON.stringify(message)
      ),
    async expect<T extends Received['type']>(type: T) {
      const message = await next()
      if (message.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`)
      return message as Of<T>
    },
    async before(type) {
      const messages: Received[] = []
      for (let message = await next(); message.type !== type; message = await next()) messages.push(message)
      return messages
    },
    async rest() {
      const messages: Received[] = []
      for (let message = await take(); message !== undefined; message = await take()) messages.push(message)
      return messages
    }
  }
}

/** A frame message; `header` overrides what a plain rgb24 frame says. */
export function frameMessage(seq: number, payload: Uint8Array, header: Partial<Header> = {}): Uint8Array {
  return encodeMessage({ ...rgbHeader, seq, ...header }, payload)
}

/** An rgb24 frame in two greys. */
export function greyFrame(seq: number, width = 56, height = 42, level = seq % 256): Uint8Array {
  return frameMessage(seq, greyPixels(width, height, level), { width, height })
}

/** RGB, its left half of the level and its right half of another: a frame of one grey would be blank. */
export function greyPixels(width: number, height: number, level: number): Uint8Array {
  const isLeft = (at: number) => Math.floor(at / 3) % width < width / 2
  return Uint8Array.from({ length: width * height * 3 }, (_, at) =>
    isLeft(at) ? level : (level + 100) % 256
  )
}

const rgbHeader: Header = { ...plainHeader, codec: 'rgb24' }
