import type { WebSocket } from 'ws'
import { expect, onTestFinished, test } from 'vitest'
import type { Outcome } from '../../src/client/index.ts'
import { connectStream } from '../../src/client/index.ts'
import { decodeMessage, encodeMessage, kinds } from '../../src/wire/frame.ts'
import { readyText, scriptedServer } from './scripted-server.ts'

const roomyReady = readyText.replace('"maxFrameBytes":1000', '"maxFrameBytes":10000000')
/** Many more than the buffers of both sides and the kernel between them hold. */
const numFrames = 300
const data = new Uint8Array(200_000)

/** A server that does not read until it is told to, then answers every frame, and says what it got. */
async function slowReader(): Promise<{ url: string; got: number[]; read: () => void }> {
  const got: number[] = []
  let socket: WebSocket | null = null
  const url = await scriptedServer((ws) => {
    socket = ws
    ws.pause()
    ws.send(roomyReady)
    ws.on('message', (message, isBinary) => {
      if (!isBinary) return answer(ws, String(message), got.length)
      const { header } = decodeMessage(message as Buffer)
      got.push(header.seq)
      ws.send(encodeMessage({ ...header, kind: kinds.depth }, new Uint8Array(1)))
    })
  })
  return { url, got, read: () => socket?.resume() }
}

function answer(ws: WebSocket, text: string, frames: number): void {
  const { type, id } = JSON.parse(text) as { type: string; id?: string }
  if (type === 'flush') ws.send(JSON.stringify({ type: 'flushed', id }))
  if (type === 'close')
    ws.send(JSON.stringify({ type: 'summary', frames, results: frames, drops: 0, errors: 0, seconds: 0 }))
}

test('latest: while the network takes nothing the newest frame waits, and those before it are dropped here', async () => {
  const { url, got, read } = await slowReader()
  const stream = await connectStream({ url, readAhead: numFrames })
  onTestFinished(() => stream.abort())
  for (let i = 0; i < numFrames; i++) await stream.send({ data, codec: 'jpeg' })
  read()
  const summary = await stream.close()
  const outcomes: Outcome[] = []
  for await (const outcome of stream.outcomes) outcomes.push(outcome)

  expect(got.length).toBeLessThan(numFrames)
  expect(got.at(-1)).toBe(numFrames - 1)
  expect(outcomes.map(({ seq }) => seq)).toEqual(Array.from({ length: numFrames }, (_, i) => i))
  const results = outcomes.filter((outcome) => outcome.type === 'result')
  expect(results.map(({ seq }) => seq)).toEqual(got)
  expect(results.at(-1)?.header.flags).toBe(2)
  const drops = numFrames - got.length
  expect(summary).toMatchObject({ frames: numFrames, results: got.length, drops, errors: 0 })
})

test('latest: a flush takes along the frame that waits', async () => {
  const { url, got, read } = await slowReader()
  const stream = await connectStream({ url, readAhead: numFrames })
  onTestFinished(() => stream.abort())
  for (let i = 0; i < numFrames; i++) await stream.send({ data, codec: 'jpeg' })
  const flushed = stream.flush()
  read()
  await flushed
  expect(got.at(-1)).toBe(numFrames - 1)
  expect(stream.unsettled).toBe(0)
})

test('a frame that the server would cut the connection for is refused before it is sent', async () => {
  const { url, got, read } = await slowReader()
  const stream = await connectStream({ url })
  read()
  await expect(stream.send({ data: new Uint8Array(10_000_000), codec: 'jpeg' })).rejects.toMatchObject({
    code: 'FRAME_TOO_LARGE',
    message: expect.stringMatching(/10000064 bytes.*at most 10000000/)
  })
  expect(await stream.send({ data: new Uint8Array(1), codec: 'jpeg' })).toBe(0)
  await stream.close()
  expect(got).toEqual([0])
})
