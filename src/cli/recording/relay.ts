import { once } from 'node:events'
import http from 'node:http'
import type { IncomingMessage, IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import WebSocket, { WebSocketServer } from 'ws'
import type { RawData } from 'ws'
import { streamUrl } from '../../client/index.ts'
import type { RecordingFile } from './recording-file.ts'

export interface RelayOptions {
  /** Of the server. */
  url: string
  /** Of this machine; 0: any that is free. */
  port: number
  file: RecordingFile
}

export interface Relay {
  /** For the client, in place of the server's. */
  url: string
  /** Twice without harm. */
  close(): Promise<void>
}

type End = 'client' | 'server'

/** Above this many bytes that one side has not taken, the other is not read. */
const maxBufferedBytes = 4 * 2 ** 20
/** What of a handshake is the client's own. None of it is recorded. */
const passedOn = ['authorization', 'cookie', 'origin', 'user-agent'] as const

/** Stands between clients and a server, and records what they say. It changes nothing; a refused handshake is told as it is. */
export async function startRelay({ url, port, file }: RelayOptions): Promise<Relay> {
  const target = streamUrl(url)
  const doors = new WebSocketServer({
    ...{ noServer: true, perMessageDeflate: false, maxPayload: 0 },
    handleProtocols: ([first]) => first ?? false
  })
  const upstreams = new Set<WebSocket>()
  let count = 0
  const server = http.createServer((_, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' }).end('Only WebSockets are recorded here.\n')
  })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const upstream = dial(target, request)
    upstreams.add(upstream)
    upstream.once('close', () => upstreams.delete(upstream))
    const refuse = (): void => void socket.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n')
    upstream.once('error', refuse)
    upstream.once(
      'unexpected-response',
      (_, answer: IncomingMessage) => void passRefusal(answer, socket, upstream)
    )
    upstream.once('open', () => {
      upstream.off('error', refuse)
      doors.handleUpgrade(request, socket, head, (client) =>
        join({ client, server: upstream }, { file, socket: ++count })
      )
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of [...doors.clients, ...upstreams]) socket.terminate()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
}

function dial(target: URL, { headers, url = '' }: IncomingMessage): WebSocket {
  const address = new URL(target)
  const { search } = new URL(url, 'http://relay')
  if (search !== '') address.search = search
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
  return new WebSocket(address, offered, { perMessageDeflate: false, maxPayload: 0, headers: own(headers) })
}

function own(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = headers[name]
      return value === undefined ? [] : [[name, value]]
    })
  )
}

async function passRefusal(answer: IncomingMessage, socket: Duplex, upstream: WebSocket): Promise<void> {
  const body: Buffer[] = []
  for await (const piece of answer) body.push(piece as Buffer)
  const bytes = Buffer.concat(body)
  const type = answer.headers['content-type'] ?? 'application/octet-stream'
  const head = [
    `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`,
    ...[`content-type: ${type}`, `content-length: ${bytes.byteLength}`, 'connection: close']
  ]
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes]))
  upstream.terminate()
}

function join(ends: Record<End, WebSocket>, { file, socket }: { file: RecordingFile; socket: number }): void {
  let isOver = false
  const pass = (from: End, to: End): void => {
    ends[from].on('message', (data, isBinary) => {
      const bytes = bytesOf(data)
      const content = isBinary ? { base64: bytes.toString('base64') } : { text: bytes.toString() }
      if (!file.add({ socket, from, ...content })) hold(ends[from], file.room())
      const sent = new Promise<void>((resolve) => ends[to].send(bytes, { binary: isBinary }, () => resolve()))
      if (ends[to].bufferedAmount > maxBufferedBytes) hold(ends[from], sent)
    })
    ends[from].on('error', () => undefined)
    ends[from].on('close', (code, reason) => {
      if (!isOver) file.add({ socket, closedBy: from, code, reason: reason.toString() })
      isOver = true
      // What no side may send means that the connection broke.
      if (code === 1006) ends[to].terminate()
      else if (code === 1005) ends[to].close()
      else ends[to].close(code, reason)
    })
  }
  pass('client', 'server')
  pass('server', 'client')
}

/** Read nothing more until then. */
function hold(end: WebSocket, until: Promise<void>): void {
  end.pause()
  void until.then(() => end.resume())
}

/** `ws` gives one buffer unless told otherwise; the other two shapes are in its type. */
function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? Buffer.from(data) : data
}
