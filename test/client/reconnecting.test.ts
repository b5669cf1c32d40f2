import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { ConnectionEvent } from '../../src/client/index.ts'
import { connectStream } from '../../src/client/index.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { startLinkProxy } from '../helpers/link-proxy.ts'
import { readyText } from './scripted-server.ts'

/** Says ready to everybody, breaks the first socket, and notes how each handshake looked. */
async function breakingServer(): Promise<{ url: string; handshakes: IncomingMessage[] }> {
  const handshakes: IncomingMessage[] = []
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'leadline.v1' })
  onTestFinished(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  server.on('connection', (socket, request) => {
    handshakes.push(request)
    socket.once('message', () => {
      const ready = { ...(JSON.parse(readyText) as { limits: object }) }
      const resumed =
        handshakes.length > 1 ? { resumed: { continuity: 'exact', digest: null, seq: -1, after: -1 } } : {}
      socket.send(JSON.stringify({ ...ready, ...resumed, limits: { ...ready.limits, graceMs: 60_000 } }))
      if (handshakes.length === 1) setImmediate(() => socket.terminate())
    })
  })
  await once(server, 'listening')
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, handshakes }
}

test('each connection brings credentials of its own', async () => {
  const { url, handshakes } = await breakingServer()
  const credentials = async (attempt: number) => ({
    headers: { 'x-proxy': 'of ours' },
    ...(attempt === 0 ? { key: 'lk_first' } : { ticket: `t${attempt}` })
  })
  const stream = await connectStream({ url, credentials })
  onTestFinished(() => stream.abort())
  await eventually(() => handshakes.length).toBe(2)
  const shown = handshakes.map(({ headers }) => [headers.authorization, headers['sec-websocket-protocol']])
  expect(shown).toEqual([
    ['Bearer lk_first', 'leadline.v1'],
    [undefined, 'leadline.v1,leadline.ticket.t1']
  ])
  expect(handshakes.map(({ headers }) => headers['x-proxy'])).toEqual(['of ours', 'of ours'])
})

test('credentials that cannot be had for a while are asked for again', async () => {
  const { url, handshakes } = await breakingServer()
  const asked: number[] = []
  const stream = await connectStream({
    url,
    credentials: (attempt) => {
      asked.push(attempt)
      if (attempt === 1) throw new Error('the ticket office is closed')
      return {}
    }
  })
  onTestFinished(() => stream.abort())
  await eventually(() => handshakes.length).toBe(2)
  expect(asked).toEqual([0, 1, 2])
})

/** Where there is no Node: the WebSocket of the page. */
function asInBrowser(): void {
  vi.stubGlobal('WebSocket', WebSocket)
  vi.stubGlobal('process', undefined)
  onTestFinished(() => void vi.unstubAllGlobals())
}

test('in a browser a stream goes on over another socket as well', async () => {
  const engine = new HashEngine()
  const { listen } = await testApp({ config: { defaultModel: 'hash' }, engine })
  const proxy = await startLinkProxy(Number(new URL(await listen()).port))
  onTestFinished(() => proxy.stop())
  const events: ConnectionEvent[] = []
  asInBrowser()
  const stream = await connectStream({
    url: `ws://127.0.0.1:${proxy.port}`,
    config: { delivery: 'lossless' },
    onConnection: (event) => void events.push(event)
  })
  vi.unstubAllGlobals()
  await stream.send({ data: Uint8Array.of(1), codec: 'jpeg' })
  asInBrowser()
  proxy.cut()
  await vi.waitFor(() => expect(events.map(({ type }) => type)).toEqual(['lost', 'resumed']), {
    timeout: 90_000
  })
  vi.unstubAllGlobals()
  await stream.send({ data: Uint8Array.of(2), codec: 'jpeg' })
  expect(await stream.close()).toMatchObject({ frames: 2, results: 2 })
})

test('a browser that is asked for a header says what to do instead', async () => {
  asInBrowser()
  const credentials = { key: 'lk_x' }
  await expect(connectStream({ url: 'ws://127.0.0.1:1', credentials })).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringMatching(/"authorization".*ticket/) as string
  })
})

test('a stream that need not go on ends with its socket, and leaves nothing behind', async () => {
  const engine = new HashEngine()
  const { listen } = await testApp({ config: { defaultModel: 'hash' }, engine })
  const proxy = await startLinkProxy(Number(new URL(await listen()).port))
  onTestFinished(() => proxy.stop())
  const events: ConnectionEvent[] = []
  const onConnection = (event: ConnectionEvent) => void events.push(event)
  const stream = await connectStream({ url: `ws://127.0.0.1:${proxy.port}`, resumable: false, onConnection })
  expect(stream.ready.limits.graceMs).toBe(0)
  proxy.cut()
  await expect(stream.close()).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  expect(events.map(({ type }) => type)).toEqual(['failed'])
  await eventually(() => engine.sessions.size).toBe(0)
})
