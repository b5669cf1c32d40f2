import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { randomNumbers } from '../../../../bench/random-weights.ts'
import { download, type DownloadOptions } from '../../../../src/inference/models/download/download.ts'
import { digestOf } from '../../../../src/inference/weights/digest.ts'
import { temporaryFolder } from '../model-folder.ts'
import { serve, serveFile } from './file-server.ts'

const size = 300_000

function randomBytes(seed: number): Uint8Array {
  const next = randomNumbers(seed)
  return Uint8Array.from({ length: size }, () => 256 * (next() + 0.5))
}

const file = randomBytes(1)
const other = randomBytes(2)

async function options(changes: Partial<DownloadOptions> = {}): Promise<DownloadOptions> {
  return { folder: path.join(await temporaryFolder(), 'downloads'), retryDelayMs: 1, ...changes }
}

async function contentOf(url: string, settings: DownloadOptions): Promise<Buffer> {
  return readFile((await download(url, settings)).path)
}

test('a file comes whole, and how far it is can be watched', async () => {
  const { url, requests } = await serveFile({ bytes: file })
  const seen: [number, number | null][] = []
  const settings = await options({ onProgress: (...progress) => void seen.push(progress) })
  const { path: found, discard } = await download(url, settings)
  expect(Buffer.compare(await readFile(found), file)).toBe(0)
  expect(requests).toEqual([{ range: undefined, ifRange: undefined }])
  expect(seen.at(0)).toEqual([0, size])
  expect(seen.at(-1)).toEqual([size, size])
  await discard()
  await discard()
  expect(await readdir(settings.folder)).toEqual([])
})

test('a connection that is cut is taken up where it was cut', async () => {
  const server = await serveFile({ bytes: file, holdAfter: (index) => (index < 3 ? 50_000 : null) })
  const cuts = new Set([50_000, 100_000, 150_000])
  const settings = await options({ onProgress: (bytes) => void (cuts.delete(bytes) && server.cut()) })
  expect(Buffer.compare(await contentOf(server.url, settings), file)).toBe(0)
  expect(server.requests).toEqual([
    { range: undefined, ifRange: undefined },
    ...[50_000, 100_000, 150_000].map((from) => ({ range: `bytes=${from}-`, ifRange: '"one"' }))
  ])
})

test('a later call goes on from what an earlier one left', async () => {
  const controller = new AbortController()
  const server = await serveFile({ bytes: file, holdAfter: (index) => (index === 0 ? 100_000 : null) })
  const settings = await options()
  const onProgress = (bytes: number) => void (bytes === 100_000 && controller.abort())
  await expect(download(server.url, { ...settings, onProgress, signal: controller.signal })).rejects.toThrow()
  expect(Buffer.compare(await contentOf(server.url, settings), file)).toBe(0)
  expect(server.requests[1]).toEqual({ range: 'bytes=100000-', ifRange: '"one"' })
})

test('a server that breaks off again and again is given up, and what came is kept', async () => {
  const server = await serveFile({ bytes: file, holdAfter: (index) => (index === 0 ? 100_000 : 0) })
  const settings = await options({ onProgress: (bytes) => void (bytes === 100_000 && server.cut()) })
  await expect(download(server.url, settings)).rejects.toMatchObject({
    code: 'DOWNLOAD_FAILED',
    message: expect.stringMatching(/the connection was cut; 100000 bytes are kept: the same command goes on/)
  })
  expect(server.requests.length).toBe(5)
})

test('a whole file is not fetched again while the server has the same', async () => {
  const settings = await options()
  const { url, requests } = await serveFile({ bytes: file })
  await download(url, settings)
  expect(Buffer.compare(await contentOf(url, settings), file)).toBe(0)
  expect(requests[1]).toEqual({ range: `bytes=${size}-`, ifRange: '"one"' })
})

test('a file that changed meanwhile begins anew', async () => {
  const settings = await options()
  const server = await serveFile({ bytes: file })
  await download(server.url, settings)
  server.change(other, '"two"')
  expect(digestOf(await contentOf(server.url, settings))).toBe(digestOf(other))
})

test('a part of a changed file is never joined to the old one, even if the server offers it', async () => {
  const settings = await options()
  const old = await serveFile({ bytes: file })
  await download(old.url, settings)
  old.change(new Uint8Array([...other, 1, 2, 3]), '"one"')
  expect(digestOf(await contentOf(old.url, settings))).toBe(digestOf(new Uint8Array([...other, 1, 2, 3])))
  expect(old.requests.map(({ range }) => range)).toEqual([undefined, `bytes=${size}-`, undefined])
})

test.each([
  ['without ranges', { ranges: false }],
  ['without a validator', { etag: null }],
  ['with a weak one', { etag: 'W/"one"' }]
])('a server %s sends the whole again after a cut', async (_title, changes) => {
  const holdAfter = (index: number) => (index === 0 ? 50_000 : null)
  const server = await serveFile({ bytes: file, holdAfter, ...changes })
  const settings = await options({ onProgress: (bytes) => void (bytes === 50_000 && server.cut()) })
  expect(Buffer.compare(await contentOf(server.url, settings), file)).toBe(0)
  expect(server.requests.length).toBe(2)
})

test('a server that sends nothing any more is given up', async () => {
  const url = await serve((_request, response) => void response.writeHead(200, { etag: '"x"' }).write('some'))
  const settings = await options({ idleTimeoutMs: 100 })
  await expect(download(url, settings)).rejects.toThrow(/nothing came for 0\.1 s/)
})

test('a refused connection is named, with the address and without its query', async () => {
  const url = await serve((request) => void request.socket.destroy())
  const failure = download(`${url}/net.pth?token=secret`, await options())
  await expect(failure).rejects.toThrow(`${url}/net.pth could not be downloaded: the connection was cut; check`)
  // Nobody listens on this address of the same machine.
  const closed = url.replace('127.0.0.1', '127.0.0.2')
  await expect(download(closed, await options())).rejects.toThrow(/the connection was refused; check the address/)
})

test.each([
  [404, {}, /net\.pth answered 404; there is no such file, check the address/],
  [401, {}, /answered 401; it is not public; download it where you are signed in and add the path/],
  [500, {}, /could not be downloaded: the server answered 500/],
  [200, { 'content-type': 'text/html; charset=utf-8' }, /is a web page, not a file; .*\/resolve\/ instead of \/blob\//],
  [200, { 'content-length': '3000000000' }, /has 3000000000 bytes, more than the 2147483647/],
  [200, { 'content-encoding': 'zstd' }, /comes encoded as zstd/],
  [206, { 'content-range': 'bytes' }, /the range "bytes", which is none/]
])('an answer of %i with %o says what to do', async (status, headers, message) => {
  const url = await serve((_request, response) => void response.writeHead(status, headers).end())
  const settings = await options()
  await expect(download(`${url}/net.pth`, settings)).rejects.toThrow(message)
  expect(await readdir(settings.folder)).toEqual([])
})

test('a file that grows beyond the limit is stopped', async () => {
  const url = await serve((_request, response) => {
    response.write(file)
    response.end(file)
  })
  const settings = await options({ maxBytes: 400_000 })
  await expect(download(url, settings)).rejects.toThrow(/more than the 400000 bytes/)
})

test('a disk without room is named before anything is fetched', async () => {
  const bytes = 1e15
  const url = await serve((_request, response) => void response.writeHead(200, { 'content-length': bytes }).end())
  const settings = await options({ maxBytes: Number.MAX_SAFE_INTEGER })
  await expect(download(url, settings)).rejects.toThrow(/bytes free, 1000000000000000 are needed; make space/)
})

test.skipIf(!existsSync('/dev/full'))('a disk that fills up is named (needs /dev/full)', async () => {
  const { url } = await serveFile({ bytes: file })
  const settings = await options()
  await mkdir(settings.folder)
  await symlink('/dev/full', path.join(settings.folder, `${digestOf(Buffer.from(url)).slice(0, 16)}.part`))
  await expect(download(url, settings)).rejects.toThrow(/could not be written to \(ENOSPC\); make space/)
})

test('a folder that cannot be made is named', async () => {
  const settings = await options({ folder: '/dev/null/downloads' })
  await expect(download('http://127.0.0.1:1/', settings)).rejects.toThrow(
    /\/dev\/null\/downloads could not be written to \(ENOTDIR\)/
  )
})

test('an interrupted download ends with the reason of its signal and keeps what came', async () => {
  const controller = new AbortController()
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': size, etag: '"x"' }).write(file.subarray(0, 1000))
  })
  const stop = new Error('stop')
  const onProgress = (bytes: number) => void (bytes > 0 && controller.abort(stop))
  const settings = await options({ signal: controller.signal, onProgress })
  await expect(download(url, settings)).rejects.toBe(stop)
  expect((await readdir(settings.folder)).length).toBe(2)
})
