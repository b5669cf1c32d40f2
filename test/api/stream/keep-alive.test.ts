import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { keepAlive } from '../../../src/api/stream/keep-alive.ts'

async function pair(autoPong: boolean): Promise<{ client: WebSocket; served: WebSocket }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => server.close())
  const connected = once(server, 'connection')
  await once(server, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { autoPong })
  onTestFinished(() => client.terminate())
  await once(client, 'open')
  const [served] = (await connected) as [WebSocket]
  return { client, served }
}

const tick = () => vi.advanceTimersByTime(1000)

function pinging(served: WebSocket): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const stop = keepAlive(served, 1000)
  onTestFinished(() => {
    stop()
    vi.useRealTimers()
  })
}

test('a peer that answers no ping is cut when the next is due', async () => {
  const { served } = await pair(false)
  pinging(served)
  const closed = once(served, 'close')
  tick()
  expect(served.readyState).toBe(WebSocket.OPEN)
  tick()
  expect((await closed)[0]).toBe(1006)
})

test('a peer that answers is kept, ping after ping', async () => {
  const { served } = await pair(true)
  pinging(served)
  for (let i = 0; i < 5; i++) {
    const answered = once(served, 'pong')
    tick()
    await answered
  }
  expect(served.readyState).toBe(WebSocket.OPEN)
})
