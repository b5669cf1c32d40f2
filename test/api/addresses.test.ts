import { once } from 'node:events'
import net from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { addKey } from '../helpers/keys.ts'
import { connect, openStream } from '../helpers/stream-client.ts'

/** A connection that sends nothing by itself. */
async function dial(url: string): Promise<net.Socket & { answer: () => string }> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('error', () => undefined).on('data', (piece) => (text += piece.toString()))
  await once(socket, 'connect')
  return Object.assign(socket, { answer: () => text })
}

test('of an address that only connects no more are let in, and one that says what it wants makes room', async () => {
  const { listen, keys } = await testApp({ config: { auth: 'keys', maxUnprovenPerAddress: 2 } })
  const url = await listen()
  const { value } = await addKey(keys)
  const [first, second] = [await dial(url), await dial(url)]
  const third = await dial(url)
  await eventually(async () => third.closed).toBe(true)
  expect(third.answer()).toMatch(/^HTTP\/1.1 429 .*retry-after: \d+.*LIMIT_REACHED.*MAX_UNPROVEN/s)
  // No key: it has shown nothing.
  first.write('GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await eventually(async () => first.answer()).toContain('401')
  const fourth = await dial(url)
  await eventually(async () => fourth.closed).toBe(true)
  second.write(`GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${value}\r\n\r\n`)
  await eventually(async () => second.answer()).toContain('200 OK')
  const fifth = await dial(url)
  fifth.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await eventually(async () => fifth.answer()).toContain('200 OK')
})

test('a socket without config counts among them until it sends one', async () => {
  const { listen } = await testApp({ config: { maxUnprovenPerAddress: 1 } })
  const url = await listen()
  const silent = await connect(url)
  await expect(connect(url)).rejects.toThrow('429')
  silent.send({ type: 'config' })
  await silent.expect('ready')
  await openStream(url)
})

test('the streams of a proxy that is named are those of its clients', async () => {
  const config = { maxConnectionsPerAddress: 2, trustedProxies: ['127.0.0.0/8'] }
  const { app, listen } = await testApp({ config })
  const url = await listen()
  const from = (address: string) => openStream(url, {}, { headers: { 'x-forwarded-for': address } })
  const first = await from('192.0.2.1')
  await from('192.0.2.1')
  await expect(from('192.0.2.1')).rejects.toThrow('429')
  await from('192.0.2.2')
  first.ws.terminate()
  await eventually(() =>
    from('192.0.2.1').then(
      () => true,
      () => false
    )
  ).toBe(true)
  expect((await app.inject({ url: '/livez', headers: { 'x-forwarded-for': '192.0.2.2' } })).statusCode).toBe(
    200
  )
})
