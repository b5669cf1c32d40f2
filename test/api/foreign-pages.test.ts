import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import WebSocket from 'ws'
import type { Config } from '../../src/config.ts'
import { loadConfig } from '../../src/config.ts'
import { subprotocol } from '../../src/wire/control-text.ts'
import { testApp } from '../helpers/build-app.ts'

/** Status and code of an answer to a page of `origin` that calls the server `host`. */
async function answer(config: Partial<Config>, headers: { origin?: string; host?: string }): Promise<string> {
  const { app } = await testApp({ config })
  const response = await app.inject({ method: 'POST', url: '/v1/depth', payload: 'x', headers })
  return response.json<{ code: string }>().code
}

/** What the guard lets pass: the body is no image, and nothing else is wrong. */
const passed = 'IMAGE_INVALID'

const local = { host: '127.0.0.1' }
const wide = { host: '0.0.0.0', auth: 'off' } as const
const proxied = { ...local, allowedHosts: ['depth.example.com'] }
const friendly = { ...local, allowedOrigins: ['https://friend.example'] }

test.each([
  ['a client that is no page', local, { host: 'localhost:8042' }, passed],
  ['a page of the server itself', local, { host: '127.0.0.1:8042', origin: 'http://127.0.0.1:8042' }, passed],
  ['a page under development', local, { host: 'localhost:8042', origin: 'http://localhost:5173' }, passed],
  ['a loopback name', local, { host: 'app.localhost:8042' }, passed],
  ['an IPv6 address', local, { host: '[::1]:8042', origin: 'http://[::1]:3000' }, passed],
  ['a foreign page', local, { host: 'localhost:8042', origin: 'https://evil.example' }, 'ORIGIN_FORBIDDEN'],
  ['a page without a site', local, { host: 'localhost:8042', origin: 'null' }, 'ORIGIN_FORBIDDEN'],
  ['no origin at all', local, { host: 'localhost:8042', origin: 'evil' }, 'ORIGIN_FORBIDDEN'],
  ['a name like localhost', local, { host: 'localhost.evil.example' }, 'HOST_FORBIDDEN'],
  ['no name at all', local, { host: '@:x' }, 'HOST_FORBIDDEN'],
  [
    'a name turned to this server',
    local,
    { host: 'evil.example:8042', origin: 'http://evil.example:8042' },
    'HOST_FORBIDDEN'
  ],
  ['a name on a network', wide, { host: 'gpu-box:8042', origin: 'http://gpu-box:8042' }, passed],
  [
    'a foreign page on a network',
    wide,
    { host: 'gpu-box', origin: 'http://evil.example' },
    'ORIGIN_FORBIDDEN'
  ],
  [
    'a page of the proxy’s name',
    proxied,
    { host: 'depth.example.com', origin: 'https://depth.example.com' },
    passed
  ],
  ['another name at the proxy', proxied, { host: 'evil.example' }, 'HOST_FORBIDDEN'],
  [
    'another port of the name',
    proxied,
    { host: 'depth.example.com', origin: 'https://depth.example.com:444' },
    'ORIGIN_FORBIDDEN'
  ],
  [
    'a name that is listed on a network',
    { ...wide, allowedHosts: ['gpu-box'] },
    { host: 'GPU-Box.' },
    passed
  ],
  [
    'a name beside the listed one',
    { ...wide, allowedHosts: ['gpu-box'] },
    { host: 'other' },
    'HOST_FORBIDDEN'
  ],
  ['any name', { ...local, allowedHosts: ['*'] }, { host: 'evil.example' }, passed],
  ['a site that is listed', friendly, { host: 'localhost', origin: 'https://friend.example' }, passed],
  [
    'a site beside it',
    friendly,
    { host: 'localhost', origin: 'https://friend.example.evil' },
    'ORIGIN_FORBIDDEN'
  ],
  ['any site', { ...local, allowedOrigins: ['*'] }, { host: 'localhost', origin: 'null' }, passed]
])('%s', async (_, config, headers, code) => {
  expect(await answer(config, headers)).toBe(code)
})

test('a refusal names the setting', async () => {
  const { app } = await testApp()
  const foreign = await app.inject({ url: '/v1/models', headers: { origin: 'https://evil.example' } })
  expect(foreign.statusCode).toBe(403)
  expect(foreign.json()).toMatchObject({
    detail: expect.stringMatching(/evil\.example.*LEADLINE_ALLOWED_ORIGINS/)
  })
  expect(foreign.headers).not.toHaveProperty('access-control-allow-origin')
  const renamed = await app.inject({ url: '/v1/models', headers: { host: 'evil.example' } })
  expect(renamed.statusCode).toBe(403)
  expect(renamed.json()).toMatchObject({
    detail: expect.stringMatching(/evil\.example.*LEADLINE_ALLOWED_HOSTS/)
  })
})

test.each([
  [{ origin: 'https://evil.example' }, 'ORIGIN_FORBIDDEN'],
  [{ headers: { host: 'evil.example' } }, 'HOST_FORBIDDEN']
])('a socket with %j gets no upgrade', async (options, code) => {
  const { listen } = await testApp()
  const ws = new WebSocket(`${(await listen()).replace('http', 'ws')}/v1/stream`, subprotocol, options)
  onTestFinished(() => ws.terminate())
  ws.on('error', () => undefined)
  const [, response] = (await once(ws, 'unexpected-response')) as [unknown, IncomingMessage]
  expect(response.statusCode).toBe(403)
  expect(await json(response)).toMatchObject({ code })
})

test('a page that is let in may read the answer and its headers, and ask before', async () => {
  const { app } = await testApp({ config: friendly })
  const origin = 'https://friend.example'
  const asked = await app.inject({
    method: 'OPTIONS',
    url: '/v1/depth',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type'
    }
  })
  expect(asked.statusCode).toBe(204)
  expect(asked.headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': expect.stringContaining('DELETE'),
    'access-control-allow-headers': 'content-type'
  })
  const refused = await app.inject({ method: 'POST', url: '/v1/depth', payload: 'x', headers: { origin } })
  expect(refused.statusCode).toBe(415)
  expect(refused.headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': expect.stringContaining('X-Leadline-Scale'),
    vary: 'Origin'
  })
})

test('a foreign page that asks before is refused', async () => {
  const { app } = await testApp()
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
  const asked = await app.inject({ method: 'OPTIONS', url: '/v1/depth', headers })
  expect(asked.statusCode).toBe(403)
  expect(asked.headers).not.toHaveProperty('access-control-allow-origin')
})

test('what is no list of hosts or origins is refused with the name of the setting', () => {
  expect(() => loadConfig({ LEADLINE_ALLOWED_ORIGINS: 'example.com' })).toThrow(/LEADLINE_ALLOWED_ORIGINS/)
  expect(() => loadConfig({ LEADLINE_ALLOWED_ORIGINS: 'https://a.example/' })).toThrow(
    /LEADLINE_ALLOWED_ORIGINS/
  )
  expect(() => loadConfig({ LEADLINE_ALLOWED_HOSTS: 'https://a.example' })).toThrow(/LEADLINE_ALLOWED_HOSTS/)
  const config = loadConfig({
    LEADLINE_ALLOWED_HOSTS: 'A.example,b.example',
    LEADLINE_ALLOWED_ORIGINS: 'https://a.example,null,http://b.example:3000'
  })
  expect(config.allowedHosts).toEqual(['a.example', 'b.example'])
  expect(config.allowedOrigins).toEqual(['https://a.example', 'null', 'http://b.example:3000'])
})
