import net from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { testApp } from '../../helpers/build-app.ts'
import type { TestApp } from '../../helpers/build-app.ts'
import { eventually } from '../../helpers/eventually.ts'
import { connect, frameMessage } from '../../helpers/stream-client.ts'

/** Behind the handshake what follows. */
function behindHandshake(url: string, ...pieces: readonly Uint8Array[]): net.Socket {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  const handshake = [
    'GET /v1/stream HTTP/1.1',
    'host: localhost',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol: leadline.v1'
  ]
  socket.write(`${handshake.join('\r\n')}\r\n\r\n`)
  for (const piece of pieces) socket.write(piece)
  return socket
}

/** Begins a message of 16 MiB. */
const endless = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0, 0, 0, 0])

/** A config of this size, in one frame under a mask of zeros, and a little of what may follow it. */
function configOf(frameBytes: number): Buffer {
  const textBytes = frameBytes - 8
  const head = Buffer.from([0x81, 0xfe, textBytes >> 8, textBytes & 0xff, 0, 0, 0, 0])
  const config = JSON.stringify({ type: 'config' }).padEnd(textBytes)
  return Buffer.concat([head, Buffer.from(config), Buffer.from([0x89, 0x80, 0, 0, 0, 0])])
}

async function answerOf(socket: net.Socket, expected: string): Promise<string> {
  let answer = ''
  for await (const piece of socket.setEncoding('latin1')) {
    answer += String(piece)
    if (answer.includes(expected)) break
  }
  return answer
}

/** Bytes that the WebSocket layer has of a message that is not whole yet. */
function heldBytes({ app }: TestApp): number[] {
  return [...app.websocketServer.clients].map(
    (ws) => (ws as unknown as { _receiver: { _bufferedBytes: number } })._receiver._bufferedBytes
  )
}

test('a stream without config holds 64 KiB, whatever it sends, and is told why it ends', async () => {
  const made = await testApp({ config: { configTimeoutMs: 600_000 } })
  const url = await made.listen()
  const socket = behindHandshake(url, endless, Buffer.alloc(60_000))
  await eventually(() => heldBytes(made)).toEqual([60_000])
  socket.write(Buffer.alloc(2 ** 20))
  expect(await answerOf(socket, 'CONFIG_EXPECTED')).toContain('More than 65536 bytes came')
  for (const bytes of heldBytes(made)) expect(bytes).toBeLessThanOrEqual(65_536 - endless.length)
  await eventually(() => made.app.websocketServer.clients.size).toBe(0)
})

test.each([65_535, 65_536])('a config of %i bytes is one, whatever follows it', async (bytes) => {
  const { listen } = await testApp()
  const socket = behindHandshake(await listen(), configOf(bytes))
  expect(await answerOf(socket, '"type":"ready"')).toContain('"type":"ready"')
})

test('a config that would be larger is none', async () => {
  const { listen } = await testApp()
  const socket = behindHandshake(await listen(), configOf(65_537))
  expect(await answerOf(socket, 'CONFIG_EXPECTED')).toContain('CONFIG_EXPECTED')
})

test('what comes behind the close of a stream without config is not read', async () => {
  const { app, listen, logged } = await testApp()
  const url = await listen()
  const socket = behindHandshake(url, Buffer.from([0x88, 0x80, 0, 0, 0, 0]), Buffer.alloc(100_000, 0xff))
  await text(socket)
  await eventually(() => app.websocketServer.clients.size).toBe(0)
  expect(logged.filter(({ level }) => Number(level) >= 50)).toEqual([])
})

test('what follows a config without waiting for ready is not counted against it', async () => {
  const { listen } = await testApp()
  const client = await connect(await listen())
  client.send({ type: 'config', delivery: 'lossless' })
  client.send(frameMessage(0, new Uint8Array(300 * 300 * 3), { width: 300, height: 300 }))
  await client.expect('ready')
  expect((await client.expect('result')).header.seq).toBe(0)
})
