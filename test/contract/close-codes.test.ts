import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { Header } from '../../src/wire/frame.ts'
import { testApp } from '../helpers/build-app.ts'
import type { StreamClient } from '../helpers/stream-client.ts'
import { frameMessage, openStream } from '../helpers/stream-client.ts'
import { section, tables } from './protocol-page.ts'

const closes = tables(section('## Codes')).find(([row]) => row?.close === '1000') ?? []

/** Bytes past the WebSocket library, straight onto the socket. */
function raw(client: StreamClient, ...bytes: number[]): void {
  ;(client.ws as unknown as { _socket: Socket })._socket.write(Buffer.from(bytes))
}

const emptyFragment = [0x00, 0x80, 0, 0, 0, 0]

/** What makes the server close with each code of the table. */
const causes: Record<string, (client: StreamClient) => void> = {
  1000: (client) => client.send({ type: 'close' }),
  1002: (client) => raw(client, 0x81, 0x01, 0x41),
  1007: (client) => raw(client, 0x81, 0x81, 0, 0, 0, 0, 0xff),
  1008: (client) => raw(client, 0x01, 0x80, 0, 0, 0, 0, ...Array(16_384).fill(emptyFragment).flat()),
  1009: (client) => client.send(new Uint8Array(20_001))
}

test('the table has every close code that the server sends without an error, and no other', () => {
  expect(closes.map(({ close }) => close)).toEqual(Object.keys(causes))
})

test.each(Object.entries(causes))('%s comes as the table says', async (code, cause) => {
  const { listen } = await testApp({ config: { maxFrameBytes: 20_000 } })
  const client = await openStream(await listen())
  cause(client)
  expect((await client.rest()).map(({ type }) => type)).toEqual(code === '1000' ? ['summary'] : [])
  expect(await client.closed).toMatchObject({ code: Number(code) })
})

/** A frame of one grey pixel but for the bytes of one field. */
function spoiled(offset: number, bytes: number[], header: Partial<Header> = {}): Uint8Array {
  const message = frameMessage(0, new Uint8Array(3), { width: 1, height: 1, ...header })
  message.set(bytes, offset)
  return message
}

test.each([
  ['version', spoiled(2, [2])],
  ['kind', spoiled(3, [9])],
  ['headerLength', spoiled(4, [65, 0])],
  ['seq', spoiled(8, [0, 0, 0, 0, 0, 0, 0x20, 0])],
  ['codec', spoiled(28, [99, 0])],
  ['dtype', spoiled(30, [4, 0])],
  ['quantity', spoiled(52, [3, 0, 0, 0])],
  ['rgb24 cannot be 0x1', spoiled(32, [0, 0])],
  ['nv12 cannot be 1x1', frameMessage(0, new Uint8Array(2), { codec: 'nv12', width: 1, height: 1 })]
])('a frame with a wrong %s ends the stream', async (what, message) => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), { delivery: 'lossless' })
  client.send(message)
  expect(await client.expect('error')).toMatchObject({
    code: 'FRAME_MALFORMED',
    detail: expect.stringContaining(what === 'headerLength' ? 'header length 65' : what)
  })
})

test('flags of a frame are ignored', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), { delivery: 'lossless' })
  const pixels = new Uint8Array(56 * 42 * 3)
  client.send(frameMessage(0, pixels, { width: 56, height: 42, flags: 0xffff }))
  expect((await client.expect('result')).header.flags & 0xfff0).toBe(0)
})

test.each(['ping', 'flush'])('an id of %s may have 64 characters', async (type) => {
  const { listen } = await testApp()
  const url = await listen()
  const client = await openStream(url)
  client.send({ type, id: 'x'.repeat(64) })
  expect(await client.next()).toMatchObject({ id: 'x'.repeat(64) })
  client.send({ type, id: 'x'.repeat(65) })
  expect(await client.expect('error')).toMatchObject({ code: 'MESSAGE_MALFORMED' })
})
