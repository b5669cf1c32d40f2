import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Outcome } from '../../src/client/index.ts'
import { connectStream } from '../../src/client/index.ts'
import { decodeMessage, encodeMessage, kinds } from '../../src/wire/frame.ts'
import { readyText, scriptedServer } from './scripted-server.ts'

const frame = { data: Uint8Array.of(1), codec: 'jpeg' } as const

test.each([
  ['a bare cut', (socket: { terminate(): void }) => socket.terminate(), 'CONNECTION_LOST'],
  ['a close code of ours', (socket: { close(code: number): void }) => socket.close(4410), 'SESSION_IDLE'],
  [
    'a reason of ours',
    (socket: { close(code: number, reason: string): void }) => socket.close(1011, 'WORKER_LOST'),
    'WORKER_LOST'
  ],
  [
    'nonsense as text',
    (socket: { send(text: string): void }) => socket.send('nonsense'),
    'MESSAGE_MALFORMED'
  ],
  [
    'nonsense as bytes',
    (socket: { send(bytes: Uint8Array): void }) => socket.send(new Uint8Array(3)),
    'FRAME_MALFORMED'
  ]
])('after %s every frame on its way fails, then reading throws', async (_what, breakIt, code) => {
  const url = await scriptedServer((socket) => {
    socket.send(readyText)
    socket.once('message', () => breakIt(socket))
  })
  const stream = await connectStream({ url })
  await stream.send(frame)
  const outcomes: Outcome[] = []
  const reading = (async () => {
    for await (const outcome of stream.outcomes) outcomes.push(outcome)
  })()
  await expect(reading).rejects.toMatchObject({ code })
  expect(outcomes).toMatchObject([{ type: 'error', seq: 0, error: { code } }])
  await expect(stream.send(frame)).rejects.toMatchObject({ code })
  await expect(stream.close()).rejects.toMatchObject({ code })
  await expect(stream.flush()).rejects.toMatchObject({ code })
})

test('a message of a newer server is passed over, and a code of a newer server keeps its name', async () => {
  const url = await scriptedServer((socket) => {
    socket.send('{"type":"weather","sunny":true}')
    socket.send(readyText)
    const error = { type: 'error', code: 'TOO_DARK', title: 'dark', detail: 'light a lamp', temporary: true }
    socket.once('message', () => socket.send(JSON.stringify({ ...error, retryAfterMs: 500 })))
  })
  const stream = await connectStream({ url })
  await stream.send(frame)
  await expect(stream.close()).rejects.toMatchObject({
    code: 'INTERNAL',
    message: 'TOO_DARK: light a lamp',
    retryAfterMs: 500
  })
})

test('an outcome for a frame that was never sent is passed over', async () => {
  const url = await scriptedServer((socket) => {
    socket.send(readyText)
    socket.once('message', () => {
      for (const seq of [7, 0, 0]) socket.send(JSON.stringify({ type: 'drop', seq, reason: 'superseded' }))
      socket.send(JSON.stringify({ type: 'summary', frames: 1, results: 0, drops: 1, errors: 0, seconds: 0 }))
    })
  })
  const stream = await connectStream({ url })
  await stream.send(frame)
  const outcomes: Outcome[] = []
  for await (const outcome of stream.outcomes) outcomes.push(outcome)
  expect(outcomes).toMatchObject([{ type: 'drop', seq: 0, reason: 'superseded' }])
})

test('a binary message that is no depth map is passed over', async () => {
  const url = await scriptedServer((socket) => {
    socket.send(readyText)
    socket.once('message', (message: Buffer) => {
      const { header } = decodeMessage(message)
      for (const kind of [kinds.frame, 7, kinds.depth])
        socket.send(encodeMessage({ ...header, kind }, Uint8Array.of(kind)))
      socket.send(JSON.stringify({ type: 'summary', frames: 1, results: 1, drops: 0, errors: 0, seconds: 0 }))
    })
  })
  const stream = await connectStream({ url })
  await stream.send(frame)
  const outcomes: Outcome[] = []
  for await (const outcome of stream.outcomes) outcomes.push(outcome)
  expect(outcomes).toMatchObject([{ type: 'result', seq: 0, payload: Uint8Array.of(kinds.depth) }])
})

test('a signal ends the wait for a server that says nothing', async () => {
  const controller = new AbortController()
  const reason = new Error('waited long enough')
  const url = await scriptedServer(() => controller.abort(reason))
  await expect(connectStream({ url, signal: controller.signal })).rejects.toBe(reason)
})

test('a signal ends the wait for a server that does not answer at all', async () => {
  const controller = new AbortController()
  const reason = new Error('waited long enough')
  const server = createServer(() => controller.abort(reason)).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  await expect(connectStream({ url, signal: controller.signal })).rejects.toBe(reason)
})
