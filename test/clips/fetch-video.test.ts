import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { fetchVideo } from '../../src/clips/intake/fetch-video.ts'

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void

const limits = { allowedNetworks: [] as string[], silenceMs: 20_000, totalMs: 60_000 }
const here = { ...limits, allowedNetworks: ['127.0.0.1'] }

/** The port of a server on every address of this machine, and what it was asked for. */
async function serve(answer: Answer) {
  const asked: string[] = []
  const server = http.createServer((request, response) => {
    asked.push(`${request.headers.host}${request.url}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}

async function all(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(piece)
  return Buffer.concat(parts).toString()
}

const video: Answer = (_, response) => response.end('video')
const refusal = { code: 'URL_FORBIDDEN' }

test('what is at an address comes, also where it sends on to', async () => {
  const { port, asked } = await serve(({ url }, response) => {
    if (url === '/last') response.end('video')
    else response.writeHead(302, { location: url === '/a' ? '/b' : `http://127.0.0.1:${port}/last` }).end()
  })
  expect(await all(fetchVideo(`http://127.0.0.1:${port}/a`, here))).toBe('video')
  expect(asked.map((one) => one.slice(one.indexOf('/')))).toEqual(['/a', '/b', '/last'])
})

test.each([
  ['loopback', (port: number) => `http://127.0.0.1:${port}/`],
  ['a name that leads to it', (port: number) => `http://localhost:${port}/`],
  ['it in hexadecimal', (port: number) => `http://0x7f000001:${port}/`],
  ['it as one number', (port: number) => `http://2130706433:${port}/`],
  ['it as IPv6', (port: number) => `http://[::1]:${port}/`],
  ['it mapped into IPv6', (port: number) => `http://[::ffff:127.0.0.1]:${port}/`],
  ['this host', (port: number) => `http://0.0.0.0:${port}/`],
  ['a private network', () => 'http://10.0.0.1/'],
  ['another', () => 'https://192.168.0.1/'],
  ['link-local', () => 'http://[fe80::1]/'],
  ['metadata of a cloud', () => 'http://169.254.169.254/latest/meta-data/'],
  ['a file', () => 'file:///etc/passwd'],
  ['another protocol', () => 'ftp://example.com/video.mp4'],
  ['a password', () => 'http://user:secret@example.com/'],
  ['no address', () => 'video.mp4']
])('%s is refused before anything is asked, given at first or by a redirect', async (_, address) => {
  const inside = await serve(video)
  await expect(all(fetchVideo(address(inside.port), limits))).rejects.toMatchObject(refusal)
  const outside = await serve((_, response) =>
    response.writeHead(307, { location: address(inside.port) }).end()
  )
  // That one may be asked: it stands for one on the public network.
  const viaRedirect = { ...limits, allowedNetworks: ['127.0.0.2'] }
  const first = `http://127.0.0.2:${outside.port}/`
  const asked = all(fetchVideo(first, viaRedirect))
  if (address(0) === 'video.mp4') await expect(asked).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' })
  else await expect(asked).rejects.toMatchObject(refusal)
  expect(inside.asked).toEqual([])
})

test('what a name leads to is not told', async () => {
  const refused = await all(fetchVideo('http://localhost:1/', limits)).catch((error: Error) => error.message)
  expect(refused).toMatch(
    /"http:\/\/localhost:1\/" leads into a network that is not public.*LEADLINE_CLIP_URL_NETWORKS/
  )
  expect(refused).not.toMatch(/127|::1/)
})

test.each<[string, Answer, RegExp]>([
  ['an answer other than 200', (_, response) => response.writeHead(404).end(), /answered 404/],
  ['a circle', ({ url }, response) => response.writeHead(302, { location: url }).end(), /more than 5 times/],
  [
    'an end before its time',
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('vid')
      setImmediate(() => response.destroy())
    },
    /could not be fetched: ECONNRESET|aborted/
  ]
])('%s fails by name', async (_, answer, reason) => {
  const { port } = await serve(answer)
  const asked = all(fetchVideo(`http://127.0.0.1:${port}/`, here))
  await expect(asked).rejects.toMatchObject({
    code: 'DOWNLOAD_FAILED',
    message: expect.stringMatching(reason)
  })
})

test('a server that says nothing, or takes too long on the whole, is given up', async () => {
  const { port } = await serve(({ url }, response) => {
    if (url === '/silent') return
    if (url === '/stops') return void response.write('x')
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(timer))
  })
  const silent = all(fetchVideo(`http://127.0.0.1:${port}/silent`, { ...here, silenceMs: 50 }))
  await expect(silent).rejects.toThrow('nothing came for 50 ms')
  const stopped = all(fetchVideo(`http://127.0.0.1:${port}/stops`, { ...here, silenceMs: 50 }))
  await expect(stopped).rejects.toThrow('nothing came for 50 ms')
  const long = all(fetchVideo(`http://127.0.0.1:${port}/long`, { ...here, totalMs: 300 }))
  await expect(long).rejects.toThrow('it takes too long')
})
