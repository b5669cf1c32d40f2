import net from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { testApp } from '../../helpers/build-app.ts'
import { connect, frameMessage } from '../../helpers/stream-client.ts'

/** A frame that never ends, behind the handshake: all that this sends is held until it does. */
async function endlessFrame(url: string): Promise<net.Socket> {
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
  socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0, 0, 0, 0]))
  socket.write(Buffer.alloc(2 ** 20))
  return socket
}

test('a stream without config holds no more than a config can be', async () => {
  const { listen } = await testApp({ config: { configTimeoutMs: 600_000 } })
  const socket = await endlessFrame(await listen())
  let answer = ''
  for await (const piece of socket.setEncoding('latin1')) {
    answer += String(piece)
    if (answer.includes('CONFIG_EXPECTED')) break
  }
  expect(answer).toContain('More came than a')
})

test('what follows a config without waiting for ready is not counted against it', async () => {
  const { listen } = await testApp()
  const client = await connect(await listen())
  client.send({ type: 'config', delivery: 'lossless' })
  client.send(frameMessage(0, new Uint8Array(300 * 300 * 3), { width: 300, height: 300 }))
  await client.expect('ready')
  expect((await client.expect('result')).header.seq).toBe(0)
})
