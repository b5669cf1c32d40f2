import net from 'node:net'
import { deflateSync } from 'node:zlib'
import WebSocket from 'ws'
import { subprotocol } from '../../src/wire/control-text.ts'
import { decodeMessage } from '../../src/wire/frame.ts'
import { imageFrame } from './frames.ts'
import { blackPng, noisyAvif, pngOf } from './images.ts'

export interface Target {
  url: string
  /** Of a key with limits, as a stranger would be given. */
  key: string
  /** Where the attackers are. */
  localAddress: string
}

/** How one attack ended: an HTTP status, what errors said and the close code, or "cut" without a word. */
export type End = string

/** Begins one, until the server ends it or the signal does ("stopped"). */
type Begin = (target: Target, signal: AbortSignal) => Promise<End>

export interface Attack {
  /** How the server may end it, beside 429 and, over HTTP, being cut while it still sends. */
  ends: RegExp
  begin: Begin
}

/** Whether it ended as it may. */
export function isListed({ ends }: Attack, end: End): boolean {
  return ['stopped', 'cut', '429', 'LIMIT_REACHED 4430'].includes(end) || ends.test(end)
}

/** 33 million pixels in some 30 KB: as many as are allowed. */
const bomb = blackPng(8192, 4032)
const lyingPng = pngOf({ width: 20_000, height: 20_000, colour: 2 }, deflateSync(''))
const slow = await noisyAvif(4096, 2160)
const jpegHead = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex')

/** Goes on, frame by frame refused, answered slowly or with its limits kept. */
export const never = /^(?!)/

export const attacks: Record<string, Attack> = {
  'headers that never end': {
    ends: /^408$/,
    begin: (target, signal) =>
      http(target, signal, (socket) => {
        socket.write('GET /v1/models HTTP/1.1\r\nhost: localhost\r\n')
        return setInterval(() => socket.write('x-a: b\r\n'), 500)
      })
  },
  'nothing at all': { ends: /^408$/, begin: (target, signal) => http(target, signal, () => null) },
  'a header of a megabyte': {
    ends: /^431$/,
    begin: (target, signal) =>
      http(target, signal, (socket) => {
        socket.write(`GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-a: ${'b'.repeat(2 ** 20)}\r\n\r\n`)
        return null
      })
  },
  'what is no HTTP': {
    ends: /^400$/,
    begin: (target, signal) =>
      http(target, signal, (socket) => {
        socket.write(Buffer.alloc(4096, 0xa5))
        return null
      })
  },
  'keys that are guessed': {
    ends: /^401$/,
    begin: (target, signal) =>
      http(target, signal, (socket) => {
        socket.write(post('/v1/tickets', 'lk_0000000000000000_guessed', [['content-length', '0']]))
        return null
      })
  },
  'an image of 20000x20000 that is none': {
    ends: /^413$/,
    begin: (target, signal) => upload(target, signal, '/v1/depth', lyingPng)
  },
  'an image with 33 million pixels in a few KB': {
    ends: /^(200|503)$/,
    begin: (target, signal) => upload(target, signal, '/v1/depth', bomb)
  },
  'a declared length of 10 GB': {
    ends: /^413$/,
    begin: (target, signal) =>
      http(target, signal, (socket) => {
        socket.write(post('/v1/depth', target.key, [['content-length', '10000000000']]))
        return null
      })
  },
  'a form of ten thousand forms': {
    ends: /^400$/,
    begin: (target, signal) =>
      http(target, signal, (socket) => {
        const part = (i: number) =>
          `--x\r\ncontent-disposition: form-data; name="f${i}"\r\ncontent-type: multipart/form-data; boundary=x\r\n\r\n`
        const body = Array.from({ length: 10_000 }, (_, i) => part(i)).join('')
        const headers: [string, string][] = [
          ['content-type', 'multipart/form-data; boundary=x'],
          ['content-length', String(body.length)]
        ]
        socket.write(post('/v1/depth', target.key, headers) + body)
        return null
      })
  },
  'chunks without end': {
    ends: /^408$/,
    begin: (target, signal) =>
      http(target, signal, (socket) => {
        socket.write(post('/v1/depth', target.key, [['transfer-encoding', 'chunked']]))
        return setInterval(() => socket.write('1\r\n\xff\r\n'.repeat(100), 'latin1'), 100)
      })
  },
  'a stream without config': {
    ends: /^CONFIG_TIMEOUT 4408$/,
    begin: (target, signal) => stream(target, signal, () => undefined)
  },
  'a message of 16 MB before config': {
    ends: /^CONFIG_EXPECTED 4590$/,
    begin: (target, signal) => stream(target, signal, (ws) => ws.send(Buffer.alloc(2 ** 24 - 1)))
  },
  'frames that are none': {
    ends: /^FRAME_MALFORMED 4590$/,
    begin: (target, signal) => session(target, signal, (ws) => ws.send(Buffer.alloc(5000, 0xa5)))
  },
  'images that are cut, or two at once': {
    ends: never,
    begin: (target, signal) =>
      session(target, signal, (ws, seq) => ws.send(imageFrame(seq, 'jpeg', Buffer.concat([jpegHead, bomb]))))
  },
  'bombs in a stream': {
    ends: never,
    begin: (target, signal) =>
      session(target, signal, (ws, seq) => ws.send(imageFrame(seq, 'png', seq % 2 === 0 ? bomb : lyingPng)))
  },
  'pictures that are slow to decode, step and encode': {
    ends: never,
    begin: (target, signal) =>
      session(target, signal, (ws, seq) => ws.send(imageFrame(seq, 'avif', slow)), {
        output: { format: 'png16', size: 'source', refine: true }
      })
  },
  'a million pings that nobody hears answered': {
    ends: never,
    begin: (target, signal) =>
      session(target, signal, (ws, seq) => {
        if (seq > 0) return
        ws.pause()
        flood(ws, pings(1000), 1000)
      })
  },
  'text without end': {
    ends: never,
    begin: (target, signal) =>
      session(target, signal, (ws, seq) => {
        if (seq > 0) return
        flood(ws, texts(1000), 1000)
      })
  },
  'results that nobody reads': {
    ends: /^SLOW_CONSUMER 4413$/,
    begin: (target, signal) =>
      session(
        target,
        signal,
        (ws, seq) => {
          ws.pause()
          if (seq < 8) ws.send(imageFrame(seq, 'png', blackPng(1920, 1080)))
        },
        { output: { format: 'f32', size: 'source' } }
      )
  }
}

/** A connection on which `speak` begins; the status of what is answered. Whoever is let go keeps what it has. */
function http(
  { url, localAddress }: Target,
  signal: AbortSignal,
  speak: (socket: net.Socket) => NodeJS.Timeout | null
): Promise<End> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = net.connect({ host: hostname, port: Number(port), localAddress })
    let timer: NodeJS.Timeout | null = null
    let head = ''
    const end = (how: End) => {
      if (timer !== null) clearInterval(timer)
      resolve(how)
      socket.destroy()
    }
    signal.addEventListener('abort', () => end('stopped'), { once: true })
    socket.on('error', () => undefined)
    socket.on('connect', () => (timer = speak(socket)))
    socket.on('data', (piece) => {
      head = (head + piece.toString('latin1')).slice(0, 64)
      const status = /^HTTP\/1.1 (\d{3})/.exec(head)?.[1]
      if (status !== undefined) end(status)
    })
    socket.on('close', () => end('cut'))
  })
}

function upload(target: Target, signal: AbortSignal, path: string, body: Buffer): Promise<End> {
  return http(target, signal, (socket) => {
    socket.write(post(path, target.key, [['content-length', String(body.length)]]))
    socket.write(body)
    return null
  })
}

function post(path: string, key: string, headers: [string, string][]): string {
  const lines = [`POST ${path} HTTP/1.1`, 'host: localhost', `authorization: Bearer ${key}`]
  return `${[...lines, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`
}

/** A WebSocket; its close code, or the status of a handshake that was refused. */
function stream(
  { url, key, localAddress }: Target,
  signal: AbortSignal,
  onOpen: (ws: WebSocket) => void,
  onMessage: (ws: WebSocket, data: Buffer, isBinary: boolean) => void = () => undefined
): Promise<End> {
  return new Promise((resolve) => {
    const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, [subprotocol], {
      headers: { authorization: `Bearer ${key}` },
      localAddress
    })
    const codes = new Set<string>()
    signal.addEventListener('abort', () => {
      resolve('stopped')
      ws.terminate()
    })
    ws.on('unexpected-response', (_, answer) => {
      resolve(String(answer.statusCode))
      ws.terminate()
    })
    ws.on('error', () => undefined)
    ws.on('open', () => onOpen(ws))
    ws.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) {
        const said = JSON.parse(data.toString()) as { type: string; code?: string }
        if (said.type === 'error') codes.add(said.code ?? '')
      }
      onMessage(ws, data, isBinary)
    })
    ws.on('close', (code) => resolve([...codes, code === 1006 ? 'cut' : code].join(' ')))
  })
}

/** A session that does `act` once it is ready, and again after each outcome. */
function session(
  target: Target,
  signal: AbortSignal,
  act: (ws: WebSocket, seq: number) => void,
  config: object = {}
): Promise<End> {
  let seq = 0
  return stream(
    target,
    signal,
    (ws) => ws.send(JSON.stringify({ type: 'config', delivery: 'lossless', ...config })),
    (ws, data, isBinary) => {
      const type = isBinary ? 'result' : (JSON.parse(data.toString()) as { type: string }).type
      if (isBinary) decodeMessage(data)
      if (['ready', 'result', 'error', 'drop'].includes(type)) act(ws, seq++)
    }
  )
}

/** The same bytes again and again, as fast as they are taken. */
function flood(ws: WebSocket, bytes: Buffer, times: number): void {
  const { _socket: socket } = ws as unknown as { _socket: net.Socket }
  const next = (left: number) => {
    if (left > 0 && !socket.destroyed) socket.write(bytes, () => setImmediate(next, left - 1))
  }
  next(times)
}

/** Masked with zeros, as frames of a client. */
function pings(count: number): Buffer {
  return Buffer.concat(
    Array<Buffer>(count).fill(Buffer.concat([Buffer.from([0x89, 0xfd, 0, 0, 0, 0]), Buffer.alloc(125, 7)]))
  )
}

function texts(count: number): Buffer {
  const text = Buffer.from('{"type":"ping"}')
  return Buffer.concat(
    Array<Buffer>(count).fill(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]))
  )
}
