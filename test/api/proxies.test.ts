import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import WebSocket from 'ws'
import type { Clip } from '../../src/client/clips/index.ts'
import { ClipsClient } from '../../src/client/clips/index.ts'
import { connectStream } from '../../src/client/index.ts'
import { subprotocol } from '../../src/wire/control-text.ts'
import type { TestAppOptions } from '../helpers/build-app.ts'
import { testApp } from '../helpers/build-app.ts'
import { mp4 } from '../helpers/clip-files.ts'
import { eventually } from '../helpers/eventually.ts'
import type { Nginx } from '../helpers/nginx.ts'
import { startNginx } from '../helpers/nginx.ts'
import type { StreamClient } from '../helpers/stream-client.ts'
import { greyFrame, openStream } from '../helpers/stream-client.ts'

const folder = path.join(import.meta.dirname, '..', '..', 'infra', 'proxy')
const documented = ['upstream.conf', 'nginx.conf']
  .map((file) => readFileSync(path.join(folder, file), 'utf8'))
  .join('\n')

/** nginx in front of a server, set up as docs/proxies.md says. */
async function behindNginx(
  options: TestAppOptions = {},
  change: (config: string) => string = (config) => config
): Promise<Nginx> {
  const { listen } = await testApp(options)
  const server = await listen()
  return startNginx(change(documented.replace('127.0.0.1:8042', new URL(server).host)))
}

const lossless = { delivery: 'lossless' } as const

async function expectServed(client: StreamClient, seq: number): Promise<void> {
  client.send(greyFrame(seq))
  expect((await client.expect('result')).header).toMatchObject({ seq, epoch: 1 })
}

async function uploaded(url: string): Promise<{ client: ClipsClient; clip: Clip }> {
  const client = new ClipsClient({ url })
  const video = new Blob([new Uint8Array(await mp4({ frames: 2, width: 84, height: 56 }))])
  return { client, clip: await client.create(video, { results: ['npz'] }) }
}

test.each(['/', '/depth/'])('streams and clips go through nginx at %s', async (prefix) => {
  const { url } = await behindNginx()
  const stream = await connectStream({ url: `${url}${prefix}`, config: lossless })
  await stream.send({ data: new Uint8Array(56 * 42 * 3), codec: 'rgb24', width: 56, height: 42 })
  expect(await stream.close()).toMatchObject({ results: 1 })

  const { client, clip } = await uploaded(`${url}${prefix}`)
  expect(clip.links.self.pathname).toBe(`${prefix}v1/clips/${clip.id}`)
  await eventually(async () => (await client.get(clip)).state).toBe('done')
  const result = await client.result(await client.get(clip), 'npz')
  expect(await result.slice(0, 2).text()).toBe('PK')
  await client.remove(clip)
  await expect(client.get(clip)).rejects.toMatchObject({ code: 'CLIP_UNKNOWN' })
})

test('a page of the proxy’s own name may use the server that was told it', async () => {
  const { url } = await behindNginx({ config: { allowedHosts: ['depth.example.com'] } })
  const statusOf = async (host: string, origin: string): Promise<number | undefined> => {
    const request = http.get(`${url}/v1/models`, { headers: { host, origin } })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    return response.statusCode
  }
  expect(await statusOf('depth.example.com', 'https://depth.example.com')).toBe(200)
  expect(await statusOf('depth.example.com', 'https://evil.example')).toBe(403)
  expect(await statusOf('evil.example', 'https://evil.example')).toBe(403)
})

test('a silent session outlives the limits of a proxy by its pings', async () => {
  const { url } = await behindNginx({ config: { keepAliveMs: 500 } }, (config) =>
    config.replace('proxy_http_version 1.1;', '$& proxy_read_timeout 5s;')
  )
  const client = await openStream(url, lossless)
  await expectServed(client, 0)
  for (let pings = 0; pings < 14; pings++) await once(client.ws, 'ping')
  await expectServed(client, 1)
})

test('fifty sessions outlive a reload of nginx, and new ones come', async () => {
  const nginx = await behindNginx()
  const clients = await Promise.all(Array.from({ length: 50 }, () => openStream(nginx.url, lossless)))
  await Promise.all(clients.map((client) => expectServed(client, 0)))
  nginx.reload()
  const processes = async () =>
    (await promisify(execFile)('ps', ['--ppid', String(nginx.pid), '-o', 'args='])).stdout
  await eventually(processes).toContain('is shutting down')
  await Promise.all(clients.map((client) => expectServed(client, 1)))
  await expectServed(await openStream(nginx.url, lossless), 0)
})

test('a proxy that does not pass WebSockets on is told apart from a server that is not there', async () => {
  const { url } = await behindNginx({}, (config) => config.replace(/.*Upgrade \$http_upgrade.*/, ''))
  await expect(connectStream({ url })).rejects.toMatchObject({
    code: 'UPGRADE_REQUIRED',
    message: expect.stringContaining('docs/proxies.md')
  })
})

test('a proxy that refuses says who it is and what to change', async () => {
  const { url } = await behindNginx({}, (config) =>
    config.replace('client_max_body_size 2g', 'client_max_body_size 1k')
  )
  await expect(uploaded(url)).rejects.toMatchObject({
    code: 'ANSWER_UNEXPECTED',
    message: expect.stringMatching(/413.*nginx.*client_max_body_size/)
  })
})

test('a proxy without a server behind it is asked for that', async () => {
  const { url } = await startNginx(documented.replace('127.0.0.1:8042', '127.0.0.1:1'))
  await expect(connectStream({ url })).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
    message: expect.stringMatching(/502.*is the server behind it running/)
  })
})

test('a connection too many of one address is refused by nginx', async () => {
  const { url } = await behindNginx({}, (config) =>
    config.replace('limit_conn leadline 100', 'limit_conn leadline 1')
  )
  await openStream(url, lossless)
  const second = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, subprotocol)
  onTestFinished(() => second.terminate())
  second.on('error', () => undefined)
  const [, response] = (await once(second, 'unexpected-response')) as [unknown, http.IncomingMessage]
  expect(response.statusCode).toBe(503)
})
