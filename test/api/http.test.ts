import { once } from 'node:events'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'

/** Everything that the server answers to these bytes until it closes the connection. */
async function answerTo(bytes: string): Promise<{ head: string; problem: Record<string, unknown> }> {
  const { listen } = await testApp()
  const socket = net.connect(Number(new URL(await listen()).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write(bytes)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  return { head, problem: JSON.parse(body) as Record<string, unknown> }
}

/** A request for a WebSocket, which `headers` spoil. */
function handshake(headers: Record<string, string>, line = 'GET /v1/stream HTTP/1.1'): string {
  const all = {
    host: 'localhost',
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol': 'leadline.v1',
    ...headers
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`
}

test.each([
  ['DELETE', '/v1/depth', 'OPTIONS, POST'],
  ['PUT', '/v1/clips', 'GET, HEAD, OPTIONS, POST'],
  ['POST', '/livez', 'GET, HEAD, OPTIONS'],
  ['POST', '/v1/stream', 'GET, HEAD, OPTIONS'],
  ['POST', '/v1/sessions', 'GET, HEAD, OPTIONS'],
  ['PATCH', '/v1/clips/00000000-0000-4000-8000-000000000000', 'DELETE, GET, HEAD, OPTIONS'],
  ['DELETE', '/v1/clips/x/results/npz', 'GET, HEAD, OPTIONS']
] as const)('%s %s is told what the path allows', async (method, url, allow) => {
  const { app } = await testApp()
  const headers = { 'content-type': 'application/json' }
  const response = await app.inject({ method, url, payload: 'no json', headers })
  expect(response.statusCode).toBe(405)
  expect(response.headers).toMatchObject({ allow, 'content-type': 'application/problem+json' })
  expect(response.json()).toMatchObject({ code: 'METHOD_UNKNOWN', detail: expect.stringContaining(allow) })
  const asked = await app.inject({ method: 'OPTIONS', url })
  expect(asked.statusCode).toBe(204)
  expect(asked.headers).toMatchObject({ allow })
})

test('OPTIONS of a path that is none is 404', async () => {
  const { app } = await testApp()
  expect((await app.inject({ method: 'OPTIONS', url: '/v2' })).statusCode).toBe(404)
})

test.each([
  ['a key that is none', { 'sec-websocket-key': 'x' }, 400, 'REQUEST_INVALID', /Sec-WebSocket-Key/],
  [
    'a subprotocol twice',
    { 'sec-websocket-protocol': 'leadline.v1, leadline.v1' },
    400,
    'REQUEST_INVALID',
    /Protocol/
  ],
  ['an old version', { 'sec-websocket-version': '7' }, 426, 'UPGRADE_REQUIRED', /version 7 is not 13/]
])('a handshake with %s is a problem like any other', async (_, headers, status, code, detail) => {
  const { head, problem } = await answerTo(handshake(headers))
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*application/problem\\+json`, 's'))
  expect(problem).toMatchObject({ code, status, detail: expect.stringMatching(detail) })
})

test('a refused upgrade ends the connection of a client that wants no other answer on it', async () => {
  const { listen } = await testApp()
  const socket = net.connect(Number(new URL(await listen()).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write('GET /v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n')
  const [first] = (await once(socket, 'data')) as [Buffer]
  expect(String(first)).toMatch(/^HTTP\/1.1 426 .*connection: upgrade\r\n/is)
  socket.write('GET /v1/stream HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  expect(await text(socket)).toMatch(/^HTTP\/1.1 426 .*connection: upgrade, close\r\n/is)
})

test('a WebSocket where there is none is refused before the upgrade', async () => {
  const { head, problem } = await answerTo(handshake({}, 'GET /v1/models HTTP/1.1'))
  expect(head).toMatch(/^HTTP\/1.1 404 /)
  expect(problem).toMatchObject({ code: 'ROUTE_UNKNOWN', detail: expect.stringContaining('/v1/stream') })
})

test('a client that would rather speak HTTP/2 is answered in HTTP/1.1, its body read', async () => {
  const { listen } = await testApp()
  const socket = net.connect(Number(new URL(await listen()).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const wish = 'connection: Upgrade, HTTP2-Settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n'
  socket.write(`POST /v1/depth HTTP/1.1\r\nhost: localhost\r\n${wish.replace(', close', '')}`)
  socket.write('content-length: 17\r\n\r\nGIF89a, ')
  socket.write('cut short')
  const [first] = (await once(socket, 'data')) as [Buffer]
  expect(String(first)).toMatch(/^HTTP\/1.1 422 .*FRAME_DECODE_FAILED/s)
  socket.write(`GET /livez HTTP/1.1\r\nhost: localhost\r\n${wish}\r\n`)
  expect(await text(socket)).toMatch(/^HTTP\/1.1 200 /)
})

test('headers that are too long are 431', async () => {
  const { head, problem } = await answerTo(
    `GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`
  )
  expect(head).toMatch(/^HTTP\/1.1 431 Request Header Fields Too Large\r\n/)
  expect(problem).toMatchObject({ code: 'HEADERS_TOO_LARGE', status: 431 })
})

test('a connection too many is closed unanswered, and the log says why once', async () => {
  const { listen, logged } = await testApp({ config: { maxConnections: 1 } })
  const port = Number(new URL(await listen()).port)
  const connect = () => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    onTestFinished(() => void socket.destroy())
    return socket
  }
  const first = connect()
  first.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await once(first, 'data')
  for (const socket of [connect(), connect()]) await once(socket, 'close')
  expect(logged.filter(({ msg }) => String(msg).includes('LEADLINE_MAX_CONNECTIONS'))).toHaveLength(1)
})

test.each([
  ['ends no headers', 'GET /v1/models HTTP/1.1\r\nhost: localhost\r\n', 'x-a: b\r\n'],
  ['ends no path', 'GET /v1/models?', 'a'],
  ['sends nothing', '', '']
])('who %s is told that it takes too long, and let go', async (_, begun, more) => {
  const { listen } = await testApp({ headersTimeoutMs: 400 })
  const socket = net.connect(Number(new URL(await listen()).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(begun)
  const going = setInterval(() => socket.write(more), 50)
  onTestFinished(() => {
    clearInterval(going)
    socket.destroy()
  })
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  expect(answer).toContain('REQUEST_TIMEOUT')
})
