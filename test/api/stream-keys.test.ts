import { once } from 'node:events'
import net from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import WebSocket from 'ws'
import { subprotocol } from '../../src/wire/control-text.ts'
import { testApp } from '../helpers/build-app.ts'
import { addKey } from '../helpers/keys.ts'
import { greyFrame, openStream } from '../helpers/stream-client.ts'

const withKeys = { config: { auth: 'keys' } } as const

/** The status and the body of a handshake that is refused. */
function refusal(
  url: string,
  headers: Record<string, string> = {}
): Promise<{ status?: number; body: string }> {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, subprotocol, { headers })
  return new Promise((resolve, reject) => {
    ws.on('open', () => reject(new Error('it was let in')))
    ws.on('error', () => {})
    ws.on('unexpected-response', (_, response) => {
      let body = ''
      response.on('data', (piece: Buffer) => (body += piece.toString()))
      response.on('end', () => {
        resolve({ ...(response.statusCode === undefined ? {} : { status: response.statusCode }), body })
        ws.terminate()
      })
    })
  })
}

test('a stream without a valid key is refused before the upgrade', async () => {
  const { listen, keys } = await testApp(withKeys)
  const url = await listen()
  const expired = await addKey(keys, { expiresAtMs: Date.now() - 1 })
  const narrow = await addKey(keys, { scopes: ['clips'] })
  expect(await refusal(url)).toMatchObject({ status: 401, body: expect.stringContaining('UNAUTHENTICATED') })
  expect(await refusal(url, expired.headers)).toMatchObject({ status: 401 })
  expect(await refusal(url, narrow.headers)).toMatchObject({
    status: 403,
    body: expect.stringContaining('FORBIDDEN')
  })
})

/** A stream whose client answers nothing, its end neither. */
async function deafStream(url: string, shown: Record<string, string>): Promise<void> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
  const key = { 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-protocol': subprotocol }
  const lines = Object.entries({ host: 'localhost', ...upgrade, ...key, ...shown }).map((one) =>
    one.join(': ')
  )
  socket.write(`GET /v1/stream HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  const config = Buffer.from(JSON.stringify({ type: 'config' }))
  // Text, whole, under a mask of zeros.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 + config.length, 0, 0, 0, 0]), config]))
  let heard = ''
  socket.on('data', (piece: Buffer) => (heard += piece.toString('latin1')))
  while (!heard.includes('"type":"ready"')) await once(socket, 'data')
}

test.each(['revoked', 'run out'])(
  'the open stream of a key that is %s ends, and its session with it',
  async (how) => {
    // Only the clock on the wall goes on at once; timers take their time.
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { app, listen, keys } = await testApp(withKeys)
    const url = await listen()
    const expiresAtMs = how === 'revoked' ? null : Date.now() + 3_600_000
    const { key, headers } = await addKey(keys, { expiresAtMs })
    const other = await addKey(keys, { name: 'other' })
    const config = { delivery: 'lossless', resumable: true }
    const client = await openStream(url, config, { headers })
    const bystander = await openStream(url, config, { headers: other.headers })
    client.send(greyFrame(0))
    await client.expect('result')
    if (how === 'revoked') await keys.revoke(key.id, Date.now())
    else vi.setSystemTime(expiresAtMs!)
    expect((await client.rest()).at(-1)).toMatchObject({
      type: 'error',
      code: 'UNAUTHENTICATED',
      temporary: false
    })
    expect(await client.closed).toMatchObject({ code: 4501, reason: 'UNAUTHENTICATED' })
    const listed = await app.inject({ url: '/v1/sessions', headers: other.headers })
    expect(listed.json()).toMatchObject({ sessions: [{ id: bystander.ready.session }] })
    bystander.send(greyFrame(0))
    await bystander.expect('result')
  }
)

test('a client of a revoked key that does not answer is cut off within three seconds', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { app, listen, keys, logged } = await testApp(withKeys)
  const { key, headers } = await addKey(keys)
  await deafStream(await listen(), headers)
  await keys.revoke(key.id, Date.now())
  // Whenever the last look was.
  await vi.advanceTimersByTimeAsync(1000)
  await happened(() => logged.some(({ msg }) => msg === 'a key counts no more'))
  await vi.advanceTimersByTimeAsync(1999)
  await happened(() => app.websocketServer.clients.size === 0)
})

/** While the timers stand still, which a poll would move on. */
async function happened(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

test('a session is resumed by the key that opened it, and by no other, whoever has its token', async () => {
  const { listen, keys } = await testApp(withKeys)
  const url = await listen()
  const [mine, theirs] = [await addKey(keys), await addKey(keys, { name: 'theirs', scopes: ['admin'] })]
  const first = await openStream(url, { resumable: true }, { headers: mine.headers })
  first.ws.terminate()
  const { session, resumeToken: token } = first.ready
  const resume = { resume: { session, token, epoch: 0, seq: -1 } }
  await expect(openStream(url, resume, { headers: theirs.headers })).rejects.toThrow(/SESSION_UNKNOWN/)
  expect(await openStream(url, resume, { headers: mine.headers })).toMatchObject({ ready: { session } })
})

test('sessions of a key are its own to list and to end; one with admin has those of all', async () => {
  const { app, listen, keys } = await testApp(withKeys)
  const url = await listen()
  const [a, b, admin] = [await addKey(keys), await addKey(keys), await addKey(keys, { scopes: ['admin'] })]
  const of = async ({ headers }: typeof a) => (await openStream(url, {}, { headers })).ready.session
  const [first, second] = [await of(a), await of(b)]
  const list = async ({ headers }: typeof a) => {
    const { sessions } = (await app.inject({ url: '/v1/sessions', headers })).json<{
      sessions: { id: string }[]
    }>()
    return sessions.map(({ id }) => id)
  }
  expect(await list(a)).toEqual([first])
  expect(await list(b)).toEqual([second])
  expect(await list(admin)).toEqual([first, second].sort())
  const end = async ({ headers }: typeof a, id: string) =>
    (await app.inject({ method: 'DELETE', url: `/v1/sessions/${id}`, headers })).statusCode
  expect(await end(b, first)).toBe(404)
  expect(await end(a, first)).toBe(204)
  expect(await end(admin, second)).toBe(204)
})

test('a server that asks for no keys takes one that is shown as none', async () => {
  const { listen } = await testApp({ config: { auth: 'off' } })
  const { headers } = await addKey({ add: async () => {} })
  expect(await openStream(await listen(), {}, { headers })).toMatchObject({ ready: { type: 'ready' } })
})
