import { once } from 'node:events'
import net from 'node:net'
import { onTestFinished, expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { mp4 } from '../helpers/clip-files.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine, hashModel } from '../helpers/hash-engine.ts'
import { connect, openStream } from '../helpers/stream-client.ts'

const timeout = 60_000

/** Sessions open when they may, as when a model has to be loaded. */
class SlowEngine extends HashEngine {
  readonly #loaded: Promise<void>
  load: () => void = () => undefined
  opening = 0

  constructor() {
    super()
    this.#loaded = new Promise((resolve) => (this.load = resolve))
  }

  override async open(...args: Parameters<HashEngine['open']>): ReturnType<HashEngine['open']> {
    this.opening++
    await this.#loaded
    return super.open(...args)
  }
}

async function slowApp() {
  const engine = new SlowEngine()
  const made = await testApp({ engine, config: { defaultModel: hashModel.name } })
  onTestFinished(engine.load)
  return { engine, ...made }
}

async function rawConnection(url: string, text: string): Promise<net.Socket> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

test('a gateway says that it is not ready for a while before it stops listening', { timeout }, async () => {
  const { app, listen } = await testApp({ config: { lameDuckMs: 3000 } })
  const url = await listen()
  const closing = app.close()
  let isOver = false
  void closing.then(() => (isOver = true))
  // Each over a connection of its own, as from a balancer that has not looked yet.
  const ready = () => fetch(`${url}/readyz`, { headers: { connection: 'close' } })
  const late = await ready()
  expect(late.status).toBe(503)
  expect(await late.json()).toMatchObject({ code: 'DRAINING' })
  const models = await fetch(`${url}/v1/models`, { headers: { connection: 'close' } })
  expect(await models.json()).toMatchObject({ code: 'DRAINING' })
  expect(isOver).toBe(false)
  await closing
  await expect(ready()).rejects.toThrow()
})

test(
  'closing does not wait for a session that is being opened, which is given back',
  { timeout },
  async () => {
    const { app, engine, sessions, listen } = await slowApp()
    const client = await connect(await listen())
    client.send({ type: 'config' })
    await eventually(() => engine.opening).toBe(1)
    await app.close()
    expect(await client.expect('error')).toMatchObject({ code: 'DRAINING' })
    const closed = sessions.close()
    engine.load()
    await closed
    expect(engine.sessions.size).toBe(0)
  }
)

test('closing does not wait for a clip whose session is being opened', { timeout }, async () => {
  const { app, engine } = await slowApp()
  const payload = await mp4({ frames: 3, width: 64, height: 48 })
  const headers = { 'content-type': 'video/mp4' }
  const response = await app.inject({ method: 'POST', url: '/v1/clips', payload, headers })
  expect(response.statusCode).toBe(202)
  await eventually(() => engine.opening).toBe(1)
  await app.close()
})

test('a client that breaks the protocol while the server closes does no harm to others', async () => {
  const { app, listen } = await testApp()
  const url = await listen()
  const bad = await openStream(url)
  const good = await openStream(url)
  const { _socket: socket } = bad.ws as unknown as { _socket: net.Socket }
  // A masked frame of the reserved opcode 0xf, as soon as the server says that it closes.
  bad.ws.on('message', () => socket.write(Buffer.from([0x8f, 0x80, 0, 0, 0, 0])))
  await app.close()
  expect(await good.closed).toMatchObject({ code: 4441 })
})

test('closing cuts a request that does not end', { timeout }, async () => {
  const { app, listen } = await testApp()
  const head = 'POST /v1/depth HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n'
  const url = await listen()
  const requested = once(app.server, 'request')
  const socket = await rawConnection(url, `${head}half of it`)
  await requested
  const cut = once(socket, 'close')
  await app.close()
  await cut
})
