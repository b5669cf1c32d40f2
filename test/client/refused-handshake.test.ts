import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { connectStream } from '../../src/client/index.ts'
import { scriptedServer } from './scripted-server.ts'
import { testApp } from '../helpers/build-app.ts'

/** Somebody who answers every request, that for an upgrade too, with this. */
async function answering(status: number, headers: Record<string, string>, body: string): Promise<string> {
  const server = createServer((_request, response) => void response.writeHead(status, headers).end(body))
  server.on('upgrade', (_request, socket) => {
    const lines = Object.entries({ ...headers, connection: 'close' }).map(
      ([name, value]) => `${name}: ${value}`
    )
    socket.end([`HTTP/1.1 ${status} Some Reason`, ...lines, '', body].join('\r\n'))
  })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('what the server refuses a handshake with is what the caller gets', async () => {
  const { listen } = await testApp()
  await expect(connectStream({ url: `${await listen()}/v2` })).rejects.toMatchObject({
    code: 'ROUTE_UNKNOWN',
    message: expect.stringContaining('/v2/v1/stream')
  })
})

test('a server that is busy says for how long', async () => {
  const problem = { code: 'NO_CAPACITY', detail: 'All is full; come back', retryAfterMs: 1234 }
  const url = await answering(503, { 'content-type': 'application/problem+json' }, JSON.stringify(problem))
  await expect(connectStream({ url })).rejects.toMatchObject({
    code: 'NO_CAPACITY',
    message: 'All is full; come back',
    retryAfterMs: 1234
  })
})

test('a code of a newer server keeps its name', async () => {
  const url = await answering(418, {}, JSON.stringify({ code: 'TEA_ONLY', detail: 'no depth' }))
  await expect(connectStream({ url })).rejects.toMatchObject({
    code: 'INTERNAL',
    message: 'TEA_ONLY: no depth'
  })
})

test.each([
  [
    403,
    {},
    'ANSWER_UNEXPECTED',
    /answered 403 Some Reason \(nginx\); something in front of the server refuses/
  ],
  [413, {}, 'ANSWER_UNEXPECTED', /413.*client_max_body_size/],
  [426, {}, 'ANSWER_UNEXPECTED', /426.*docs\/proxies\.md/],
  [502, {}, 'CONNECTION_LOST', /502.*is the server behind it running/],
  [301, { location: 'https://else.example/' }, 'ANSWER_UNEXPECTED', /301.*https:\/\/else\.example\//],
  [200, {}, 'ANSWER_UNEXPECTED', /200.*is this the address of a Leadline server/]
])(
  'a proxy that answers %i with a page is named, with what to do',
  async (status, headers, code, message) => {
    const url = await answering(status, { server: 'nginx', ...headers }, '<html><h1>No</h1></html>')
    await expect(connectStream({ url })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message)
    })
  }
)

test('a message that was too large for the server says what to change', async () => {
  const url = await scriptedServer((socket) => socket.close(1009))
  await expect(connectStream({ url })).rejects.toMatchObject({
    code: 'FRAME_TOO_LARGE',
    message: expect.stringContaining('LEADLINE_MAX_FRAME_BYTES')
  })
})
