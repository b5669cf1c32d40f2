import { once } from 'node:events'
import net from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { frameMessage } from '../helpers/stream-client.ts'

/** What RFC 6455 asks of a server, over sockets that a test writes byte by byte. */

const op = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** A frame of a client: masked, with a mask of zeros. */
function wsFrame(opcode: number, payload: Uint8Array, { fin = true, rsv = 0, masked = true } = {}): Buffer {
  const first = (fin ? 0x80 : 0) | rsv | opcode
  const mask = masked ? 0x80 : 0
  const { length } = payload
  const head =
    length < 126
      ? [first, mask | length]
      : length < 65_536
        ? [first, mask | 126, length >> 8, length & 255]
        : [
            first,
            mask | 127,
            0,
            0,
            0,
            0,
            (length >>> 24) & 255,
            (length >> 16) & 255,
            (length >> 8) & 255,
            length & 255
          ]
  return Buffer.concat([Buffer.from([...head, ...(masked ? [0, 0, 0, 0] : [])]), payload])
}

interface Heard {
  opcode: number
  payload: Buffer
}

/** The frames of a server in these bytes, which it never masks, and what is left over. */
function readFrames(bytes: Buffer): { frames: Heard[]; rest: Buffer } {
  const frames: Heard[] = []
  for (;;) {
    if (bytes.length < 2) return { frames, rest: bytes }
    const short = bytes[1]! & 0x7f
    const at = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length < at) return { frames, rest: bytes }
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    if (bytes.length < at + length) return { frames, rest: bytes }
    frames.push({ opcode: bytes[0]! & 0x0f, payload: bytes.subarray(at, at + length) })
    bytes = bytes.subarray(at + length)
  }
}

async function raw({ maxFrameBytes = 20_000 } = {}) {
  const engine = new HashEngine()
  // On a busy machine a flood takes longer than the time between two pings.
  const config = { defaultModel: 'hash', maxFrameBytes, keepAliveMs: 600_000 }
  const { app, listen } = await testApp({ engine, config })
  const socket = net.connect(Number(new URL(await listen()).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  const key = 'x3JJHMbDL1EzLkh9GBhXDw=='
  const head = ['GET /v1/stream HTTP/1.1', 'Host: localhost', 'Upgrade: websocket', 'Connection: Upgrade']
  socket.write(
    `${[...head, `Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: leadline.v1'].join('\r\n')}\r\n\r\n`
  )
  let bytes: Buffer = Buffer.alloc(0)
  const heard: Heard[] = []
  let wake = () => {}
  let isOpen = false
  let isClosed = false
  const onData = (piece: Buffer): void => {
    bytes = Buffer.concat([bytes, piece])
    if (!isOpen) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) return
      expect(bytes.toString('latin1')).toContain(' 101 ')
      isOpen = true
      bytes = bytes.subarray(end + 4)
    }
    const { frames, rest } = readFrames(bytes)
    bytes = rest
    heard.push(...frames)
    wake()
  }
  socket.on('data', onData)
  socket.on('close', () => {
    isClosed = true
    wake()
  })
  const next = async (): Promise<Heard | null> => {
    while (heard.length === 0 && !isClosed) await new Promise<void>((resolve) => (wake = resolve))
    return heard.shift() ?? null
  }
  return {
    app,
    engine,
    socket,
    next,
    send: (...frames: Buffer[]) => void socket.write(Buffer.concat(frames)),
    /** The text of the next frame, which must be one. */
    async text(): Promise<{ type: string; code?: string }> {
      const frame = await next()
      expect(frame?.opcode).toBe(op.text)
      return JSON.parse(String(frame?.payload)) as { type: string }
    },
    /** The code that the server closes with, after which it hangs up. */
    async closeCode(): Promise<number> {
      for (let frame = await next(); frame !== null; frame = await next()) {
        if (frame.opcode !== op.close) continue
        const code = frame.payload.length === 0 ? 1005 : frame.payload.readUInt16BE(0)
        if (!isClosed) await once(socket, 'close')
        return code
      }
      return 1006
    }
  }
}

const utf8 = (text: string) => Buffer.from(text)
const config = utf8(JSON.stringify({ type: 'config', delivery: 'lossless' }))
const whole = (message: object) => wsFrame(op.text, utf8(JSON.stringify(message)))

test('a text message in fragments is one message, and a ping between them is answered at once', async () => {
  const client = await raw()
  client.send(
    wsFrame(op.text, config.subarray(0, 5), { fin: false }),
    wsFrame(op.ping, utf8('are you there')),
    wsFrame(op.more, config.subarray(5, 6), { fin: false }),
    wsFrame(op.more, Buffer.alloc(0), { fin: false })
  )
  expect(await client.next()).toEqual({ opcode: op.pong, payload: utf8('are you there') })
  client.send(wsFrame(op.more, config.subarray(6)))
  expect(await client.text()).toMatchObject({ type: 'ready' })
})

test('a frame of video in one fragment for each byte is one frame', async () => {
  const client = await raw()
  client.send(wsFrame(op.text, config))
  await client.text()
  const message = Buffer.from(frameMessage(0, Uint8Array.of(1, 2, 3), { codec: 'jpeg' }))
  for (let i = 0; i < message.length; i++) {
    const fin = i === message.length - 1
    client.send(wsFrame(i === 0 ? op.binary : op.more, message.subarray(i, i + 1), { fin }))
  }
  expect((await client.next())?.opcode).toBe(op.binary)
})

test('text may be cut in the middle of a character, and must be whole at the end', async () => {
  const client = await raw()
  client.send(wsFrame(op.text, config))
  await client.text()
  const ping = utf8(JSON.stringify({ type: 'ping', id: 'Ä' }))
  const at = ping.indexOf(0xc3) + 1
  client.send(wsFrame(op.text, ping.subarray(0, at), { fin: false }), wsFrame(op.more, ping.subarray(at)))
  expect(await client.text()).toEqual({ type: 'pong', id: 'Ä' })
  client.send(wsFrame(op.text, ping.subarray(0, at)))
  expect(await client.closeCode()).toBe(1007)
})

const big = Buffer.alloc(30_000)
test.each([
  ['no mask', 1002, [wsFrame(op.text, config, { masked: false })]],
  ['a reserved bit', 1002, [wsFrame(op.text, config, { rsv: 0x40 })]],
  ['a reserved opcode for data', 1002, [wsFrame(3, config)]],
  ['a reserved opcode for control', 1002, [wsFrame(11, utf8(''))]],
  ['a control frame in fragments', 1002, [wsFrame(op.ping, utf8(''), { fin: false })]],
  ['a control frame of 126 bytes', 1002, [wsFrame(op.ping, Buffer.alloc(126))]],
  ['a fragment of nothing', 1002, [wsFrame(op.more, utf8('x'))]],
  [
    'a message inside of another',
    1002,
    [wsFrame(op.text, utf8('{'), { fin: false }), wsFrame(op.text, config)]
  ],
  ['a close frame of one byte', 1002, [wsFrame(op.close, Buffer.of(3))]],
  ['a close code that may not be sent', 1002, [wsFrame(op.close, Buffer.of(1005 >> 8, 1005 & 255))]],
  ['a close code that nobody has', 1002, [wsFrame(op.close, Buffer.of(0, 12))]],
  ['a close reason that is no UTF-8', 1007, [wsFrame(op.close, Buffer.of(3, 232, 0xff))]],
  ['an overlong character', 1007, [wsFrame(op.text, Buffer.of(0xc0, 0xaf))]],
  ['half of a surrogate pair', 1007, [wsFrame(op.text, Buffer.of(0xed, 0xa0, 0x80))]],
  ['a message above the limit', 1009, [wsFrame(op.binary, big)]],
  [
    'fragments above the limit together',
    1009,
    [wsFrame(op.binary, big.subarray(0, 15_000), { fin: false }), wsFrame(op.more, big.subarray(0, 15_000))]
  ],
  [
    'a length above 2^53',
    1009,
    [Buffer.from([0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0])]
  ]
])('%s is closed with %i, and the session is freed', async (_what, code, frames) => {
  const client = await raw()
  client.send(wsFrame(op.text, config))
  await client.text()
  client.send(...frames)
  expect(await client.closeCode()).toBe(code)
  await eventually(() => client.engine.sessions.size).toBe(0)
})

test.each([
  ['a code of its own', Buffer.of(3000 >> 8, 3000 & 255), 3000],
  ['1000 and a reason', Buffer.concat([Buffer.of(3, 232), utf8('bye')]), 1000],
  ['no code', Buffer.alloc(0), 1005]
])('a close with %s is answered in kind, and nothing after it is read', async (_what, payload, code) => {
  const client = await raw()
  client.send(wsFrame(op.text, config))
  await client.text()
  client.send(wsFrame(op.close, payload), whole({ type: 'ping' }), wsFrame(op.ping, utf8('x')))
  expect(await client.closeCode()).toBe(code)
})

test('a pong that nobody asked for is nothing', async () => {
  const client = await raw()
  client.send(wsFrame(op.pong, utf8('hello')), wsFrame(op.text, config))
  expect(await client.text()).toMatchObject({ type: 'ready' })
})

test('a flood of pings whose answers nobody reads is cut before it takes memory', async () => {
  const client = await raw()
  client.send(wsFrame(op.text, config))
  await client.text()
  const [served] = client.app.websocketServer.clients
  if (served === undefined) expect.fail('no socket')
  client.socket.pause()
  const flood = Buffer.concat(Array<Buffer>(1000).fill(wsFrame(op.ping, Buffer.alloc(125, 7))))
  let most = 0
  served.on('ping', () => (most = Math.max(most, served.bufferedAmount)))
  while (served.readyState === served.OPEN) {
    client.socket.write(flood, () => undefined)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(most).toBeLessThan(60 * 200)
  await eventually(() => client.engine.sessions.size).toBe(0)
})

test('pings one after the other are answered, however many', async () => {
  const client = await raw()
  client.send(wsFrame(op.text, config))
  await client.text()
  for (let i = 0; i < 200; i++) {
    client.send(wsFrame(op.ping, utf8(String(i))))
    expect(await client.next()).toEqual({ opcode: op.pong, payload: utf8(String(i)) })
  }
})

test('a flood of messages that ask for answers nobody reads takes no memory, and the stream goes on', async () => {
  const client = await raw()
  client.send(wsFrame(op.text, config))
  await client.text()
  const [served] = client.app.websocketServer.clients
  if (served === undefined) expect.fail('no socket')
  client.socket.pause()
  const flood = Buffer.concat(Array<Buffer>(1000).fill(whole({ type: 'ping', id: 'x'.repeat(64) })))
  let most = 0
  let numHeard = 0
  served.on('message', () => {
    numHeard++
    most = Math.max(most, served.bufferedAmount)
  })
  // Answers of 4 MB, of which the kernel takes some.
  for (let i = 0; i < 40; i++) client.send(flood)
  await eventually(() => numHeard).toBe(40_000)
  expect(most).toBeLessThan(2 ** 20 + 2 ** 16)
  client.socket.resume()
  client.send(whole({ type: 'flush', id: 'last' }))
  let last = await client.text()
  while (last.type === 'pong') last = await client.text()
  expect(last).toMatchObject({ type: 'flushed' })
}, 120_000)

test('of a flood of messages no more are read in a second than a camera can send, and none is lost', async () => {
  const client = await raw()
  client.send(wsFrame(op.text, config))
  await client.text()
  const [served] = client.app.websocketServer.clients
  if (served === undefined) expect.fail('no socket')
  let pauses = 0
  const pause = served.pause.bind(served)
  served.pause = () => {
    pauses += 1
    pause()
  }
  const flood = Buffer.concat(Array<Buffer>(1000).fill(whole({ type: 'ping' })))
  for (let i = 0; i < 12; i++) client.send(flood)
  for (let i = 0; i < 12_000; i++) expect(await client.text()).toEqual({ type: 'pong' })
  expect(pauses).toBeGreaterThan(0)
}, 120_000)

test('of a piece of a socket that is full of messages one is handled in a turn of the event loop', async () => {
  const client = await raw()
  client.send(wsFrame(op.text, config))
  await client.text()
  const [served] = client.app.websocketServer.clients
  if (served === undefined) expect.fail('no socket')
  let numHeard = 0
  let inTurn = 0
  let most = 0
  const hear = () => {
    numHeard += 1
    most = Math.max(most, ++inTurn)
    setImmediate(() => (inTurn = 0))
  }
  served.on('message', hear).on('ping', hear)
  client.send(
    ...Array<Buffer>(500).fill(whole({ type: 'ping' })),
    ...Array<Buffer>(500).fill(wsFrame(op.ping, utf8('x')))
  )
  await eventually(() => numHeard).toBe(1000)
  expect(most).toBe(1)
})
