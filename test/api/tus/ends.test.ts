import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { MemoryIdempotencyBook } from '../../../src/clips/books/memory-idempotency-book.ts'
import { Pace } from '../../../src/clips/intake/pace.ts'
import { UploadSpool } from '../../../src/clips/uploads/upload-spool.ts'
import { Uploads } from '../../../src/clips/uploads/uploads.ts'
import { testApp } from '../../helpers/build-app.ts'
import type { TestApp } from '../../helpers/build-app.ts'
import { mp4 } from '../../helpers/clip-files.ts'
import { ended } from '../../helpers/clip-requests.ts'
import { eventually } from '../../helpers/eventually.ts'
import { addKey } from '../../helpers/keys.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { begin, look, partType, placeOf, send } from '../../helpers/tus-requests.ts'

let video: Buffer
beforeAll(async () => {
  video = await mp4({ frames: 2, width: 84, height: 56 })
})

/** A PATCH of `length` bytes, of which only `body` is ever sent. */
function halfSent(server: string, url: string, length: number, body: Buffer): { answer: () => string } {
  const socket = net.connect(Number(new URL(server).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text))
  const head = [`PATCH ${url} HTTP/1.1`, 'host: localhost', 'tus-resumable: 1.0.0', 'upload-offset: 0']
  socket.write(`${[...head, `content-type: ${partType}`, `content-length: ${length}`].join('\r\n')}\r\n\r\n`)
  socket.write(body)
  return { answer: () => answer }
}

test('a client that comes again while its old connection hangs goes on at once, and that one ends', async () => {
  const { app, listen } = await testApp()
  const server = await listen()
  const url = placeOf(await begin(app, video.length))
  const hanging = halfSent(server, url, video.length, video.subarray(0, 400))
  await eventually(async () => (await look(app, url)).headers['upload-offset']).toBe('400')
  expect((await send(app, url, 400, video.subarray(400))).statusCode).toBe(204)
  await eventually(hanging.answer).toMatch(/^HTTP\/1.1 423 [^]*UPLOAD_TAKEN/)
  expect((await ended(app, url.split('/').at(-1)!)).state).toBe('done')
})

test('a client that is silent is told so, and what it sent is kept', async () => {
  const { app, listen } = await testApp({ config: { uploadTimeoutMs: 200 } })
  const server = await listen()
  const url = placeOf(await begin(app, video.length))
  const hanging = halfSent(server, url, video.length, video.subarray(0, 400))
  await eventually(hanging.answer).toMatch(/^HTTP\/1.1 408 [^]*REQUEST_TIMEOUT/)
  expect((await send(app, url, 400, video.subarray(400))).statusCode).toBe(204)
})

test('a request whose time is up is answered with what is here', async () => {
  const { app, listen } = await testApp({ config: { requestTimeoutMs: 0 } })
  const server = await listen()
  const url = placeOf(await begin(app, 100_000))
  const slow = halfSent(server, url, 100_000, Buffer.alloc(500))
  await eventually(slow.answer).toMatch(/^HTTP\/1.1 204 [^]*upload-offset: [1-9]\d*\r\n/i)
  expect(slow.answer()).toMatch(/connection: close/i)
})

test('what comes slower than 16 KB a second is too slow after ten seconds, and not before', () => {
  let nowMs = 0
  const pace = new Pace(() => nowMs)
  pace.add(16_384 * 10)
  nowMs = 10_000
  expect(pace.isTooSlow).toBe(false)
  nowMs = 10_100
  expect(pace.isTooSlow).toBe(true)
  pace.add(16_384)
  expect(pace.isTooSlow).toBe(false)
})

test('a clip that cannot be made just now leaves the upload one byte short, and the last byte makes it', async () => {
  const { app, config } = await testApp()
  const url = placeOf(await begin(app, video.length))
  const clips = path.join(config.dataDir, 'clips')
  // Nothing can be made in a file.
  await rename(clips, `${clips}-away`)
  await writeFile(clips, '')
  const refused = await send(app, url, 0, video)
  await rm(clips)
  await rename(`${clips}-away`, clips)
  expect(refused.json()).toMatchObject({ status: 503, code: 'STORAGE_UNUSABLE', temporary: true })
  expect((await look(app, url)).headers['upload-offset']).toBe(String(video.length - 1))
  expect((await send(app, url, video.length - 1, video.subarray(-1))).statusCode).toBe(204)
  expect((await ended(app, url.split('/').at(-1)!)).state).toBe('done')
})

test('a disk that is full, or would be, is said by name; what came stays', async () => {
  const { app, config } = await testApp()
  const url = placeOf(await begin(app, 1000))
  await send(app, url, 0, Buffer.alloc(100))
  const bytes = path.join(config.dataDir, url.replace('/v1', ''), 'bytes')
  await rename(bytes, `${bytes}-away`)
  await symlink('/dev/full', bytes)
  // A device has no size: as far as anybody can tell nothing has come.
  const full = await send(app, url, 0, Buffer.alloc(500))
  expect(full.json()).toMatchObject({ status: 507, code: 'STORAGE_FULL', temporary: true })
  await rename(`${bytes}-away`, bytes)
  expect((await look(app, url)).headers['upload-offset']).toBe('100')
  const small = await testApp({ config: { minFreeBytes: 2 ** 60 } })
  expect((await begin(small.app, 1000)).json()).toMatchObject({ status: 507, code: 'STORAGE_FULL' })
  expect(await readdir(path.join(small.config.dataDir, 'uploads'))).toEqual([])
})

test('a key has as many unfinished uploads as clips; of more, the one that stands still goes', async () => {
  const { app, config, keys } = await testApp({ config: { auth: 'keys' } })
  const { headers } = await addKey(keys, { limits: { clips: 2 } })
  const other = await addKey(keys, { limits: { clips: 2 } })
  const urls = [placeOf(await begin(app, 1000, { headers })), placeOf(await begin(app, 1000, { headers }))]
  expect((await begin(app, 1000, { headers })).json()).toMatchObject({ status: 429, code: 'LIMIT_REACHED' })
  const plain = { ...headers, 'content-type': 'video/mp4' }
  const clip = await app.inject({ method: 'POST', url: '/v1/clips', headers: plain, payload: video })
  expect(clip.json()).toMatchObject({ code: 'LIMIT_REACHED' })
  expect((await begin(app, 1000, { headers: other.headers })).statusCode).toBe(201)
  await touch(path.join(config.dataDir, urls[0]!.replace('/v1', '')), Date.now() - 120_000)
  const third = placeOf(await begin(app, 1000, { headers }))
  for (const [url, status] of [
    [urls[0]!, 404],
    [urls[1]!, 200],
    [third, 200]
  ] as const)
    expect((await look(app, url, headers)).statusCode).toBe(status)
})

/** As if nobody had written there since. */
async function touch(folder: string, atMs: number): Promise<void> {
  for (const name of [...(await readdir(folder)), '.'])
    await utimes(path.join(folder, name), atMs / 1000, atMs / 1000)
}

test('an upload that nobody goes on with is gone when its time is up, and then its files, and nothing else', async () => {
  const { app, config } = await testApp()
  const [old, young] = [placeOf(await begin(app, 1000)), placeOf(await begin(app, 1000))]
  const root = path.join(config.dataDir, 'uploads')
  const folderOf = (url: string) => path.join(root, url.split('/').at(-1)!)
  await mkdir(path.join(root, 'mine'))
  const mixed = path.join(root, randomUUID())
  await mkdir(mixed)
  await writeFile(path.join(mixed, 'letter.txt'), '')
  const half = path.join(root, randomUUID())
  await mkdir(half)
  const longAgoMs = Date.now() - config.uploadMaxAgeMs - 1000
  for (const folder of [folderOf(old), mixed, half, path.join(root, 'mine')]) await touch(folder, longAgoMs)
  expect((await look(app, old)).statusCode).toBe(404)
  await asElsewhere(config).sweep()
  expect((await readdir(root)).toSorted()).toEqual(
    ['mine', path.basename(mixed), path.basename(folderOf(young))].toSorted()
  )
  expect((await look(app, young)).statusCode).toBe(200)
})

/** As another gateway of the same folder has them. What is no disk is not asked when they are swept. */
function asElsewhere(config: TestApp['config']): Uploads {
  const spool = new UploadSpool(path.join(config.dataDir, 'uploads'))
  const [book, none] = [new MemoryIdempotencyBook(), {} as never]
  const storage = { place: 'The folder', setting: 'LEADLINE_DATA_DIR' }
  return new Uploads({ config, spool, book, storage, clips: none, gate: none, log: quietLog() })
}

test('a page of a site that is let in may send parts, and read where they go on', async () => {
  const { app } = await testApp()
  const asked = { origin: 'http://localhost', 'access-control-request-method': 'PATCH' }
  const preflight = await app.inject({
    ...{ method: 'OPTIONS', url: '/v1/uploads' },
    headers: { ...asked, 'access-control-request-headers': 'tus-resumable,upload-offset' }
  })
  expect(preflight.headers['access-control-allow-methods']).toContain('PATCH')
  expect(preflight.headers['access-control-allow-headers']).toBe('tus-resumable,upload-offset')
  const begun = await begin(app, 1000, { headers: { origin: 'http://localhost' } })
  for (const name of ['Location', 'Upload-Offset', 'Upload-Expires', 'Tus-Resumable', 'X-Leadline-Clip'])
    expect(begun.headers['access-control-expose-headers']).toContain(name)
})
