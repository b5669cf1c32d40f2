import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import type { ClipDocument } from '../../src/api/clips/clip-document.ts'
import { eventsOf } from '../../src/client/clips/clip-events.ts'
import type { Clip, ClipWishes } from '../../src/client/clips/index.ts'
import { ClipsClient } from '../../src/client/clips/index.ts'
import type { ClipRequest } from '../../src/clips/index.ts'
import { testApp } from '../helpers/build-app.ts'
import type { TestAppOptions } from '../helpers/build-app.ts'
import { mp4 } from '../helpers/clip-files.ts'
import { eventually } from '../helpers/eventually.ts'
import { fakeEngine, stepGate } from '../helpers/fake-engine.ts'
import { addKey } from '../helpers/keys.ts'
import { largeClip } from '../helpers/large-clip.ts'
import { startLinkProxy } from '../helpers/link-proxy.ts'

let small: Blob
let large: Blob
beforeAll(async () => {
  small = new Blob([new Uint8Array(await mp4({ frames: 3, width: 84, height: 56 }))])
  large = new Blob([new Uint8Array(await largeClip(6_000_000))])
})

/** A client behind a proxy that can cut. */
async function setup(options: TestAppOptions = {}) {
  const made = await testApp(options)
  const proxy = await startLinkProxy(Number(new URL(await made.listen()).port))
  onTestFinished(() => proxy.stop())
  const url = `http://127.0.0.1:${proxy.port}`
  return { ...made, proxy, url, clips: new ClipsClient({ url }) }
}

const npz = { results: ['npz'] as const }

test('what the client says of a clip and its wishes is what the server says', () => {
  type Told = Omit<ClipDocument, 'links' | 'failure'>
  expectTypeOf<Omit<Clip, 'links' | 'failure'>>().branded.toEqualTypeOf<Told>()
  expectTypeOf<NonNullable<Clip['failure']>>().branded.toEqualTypeOf<NonNullable<ClipDocument['failure']>>()
  expectTypeOf<keyof ClipWishes>().toEqualTypeOf<keyof ClipRequest>()
  expectTypeOf<ClipRequest>().toExtend<ClipWishes>()
})

test('a small video is one request, is followed to its end, and its result is a blob', async () => {
  const { clips } = await setup()
  const sent: number[] = []
  const clip = await clips.create(small, { ...npz, cacheSize: 8, onProgress: (bytes) => sent.push(bytes) })
  expect(clip).toMatchObject({ cacheSize: 8, results: ['npz'] })
  expect(sent).toEqual([small.size])
  const states = new Set<string>()
  const done = await clips.finished(clip, { onState: ({ state }) => states.add(state) })
  expect([...states].at(-1)).toBe('done')
  expect(done.progress).toEqual({ frames: 3, frameCount: 3 })
  expect(await (await clips.result(done, 'npz')).slice(0, 2).text()).toBe('PK')
  expect(await (await clips.result(done.id, 'npz')).slice(0, 2).text()).toBe('PK')
  expect((await clips.list({ states: ['done'], limit: 5 })).clips.map(({ id }) => id)).toEqual([done.id])
  await clips.remove(done)
  await expect(clips.get(done.id)).rejects.toMatchObject({ code: 'CLIP_UNKNOWN' })
})

test('a large video goes on where it was, however often the connection breaks', async () => {
  const { clips, proxy } = await setup()
  const sent: number[] = []
  const onProgress = (bytes: number) => {
    sent.push(bytes)
    // In the middle of the next part.
    if (bytes < 4_000_000) proxy.cutAfter(200_000)
  }
  const clip = await clips.create(large, { ...npz, onProgress })
  expect(sent).toEqual(sent.toSorted((a, b) => a - b))
  expect(sent.length).toBeGreaterThan(4)
  expect(sent.at(-1)).toBe(large.size)
  expect((await clips.finished(clip)).progress.frames).toBe(2)
  expect((await clips.list()).clips).toHaveLength(1)
})

test('an upload that a program left is gone on with by its key, and one that was sent whole is not', async () => {
  const { clips, config } = await setup()
  const leaving = new AbortController()
  const onProgress = (bytes: number) => bytes > 0 && leaving.abort(new Error('left'))
  const resumeKey = 'walk'
  const left = clips.create(large, { ...npz, resumeKey, onProgress, signal: leaving.signal })
  await expect(left).rejects.toThrow('left')
  expect(await readdir(path.join(config.dataDir, 'uploads'))).toHaveLength(1)
  const sent: number[] = []
  const clip = await clips.create(large, { ...npz, resumeKey, onProgress: (bytes) => sent.push(bytes) })
  expect(sent[0]).toBeGreaterThan(0)
  expect(await readdir(path.join(config.dataDir, 'uploads'))).toEqual([clip.id])
  const again = await clips.create(large, { ...npz, resumeKey })
  expect(again.id).not.toBe(clip.id)
  await expect(clips.create(large, { resumeKey })).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
})

test('an upload that is gone at the server is begun again', async () => {
  const { clips, app, config } = await setup()
  let isDeleted = false
  const source = {
    size: large.size,
    slice: (from: number, to: number) => ({
      arrayBuffer: async () => {
        // As if it were in a folder of another gateway.
        if (from > 0 && !isDeleted)
          for (const id of await readdir(path.join(config.dataDir, 'uploads')))
            await app.inject({
              method: 'DELETE',
              url: `/v1/uploads/${id}`,
              headers: { 'tus-resumable': '1.0.0' }
            })
        isDeleted ||= from > 0
        return large.slice(from, to).arrayBuffer()
      }
    })
  }
  const clip = await clips.create(source, npz)
  expect(isDeleted).toBe(true)
  expect((await clips.finished(clip)).state).toBe('done')
})

test('following goes on after a cut, and ends with a clip that is cancelled', async () => {
  const gate = stepGate()
  const { clips, proxy } = await setup({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  gate.shut()
  const clip = await clips.create(small, npz)
  const states: string[] = []
  const following = (async () => {
    for await (const { state } of clips.follow(clip)) {
      if (states.length === 0) proxy.cut()
      states.push(state)
    }
  })()
  await eventually(() => states.at(-1)).toBe('running')
  expect((await clips.cancel(clip)).state).toBe('cancelled')
  gate.open()
  await following
  expect(states.at(-1)).toBe('cancelled')
  await expect(clips.finished(clip)).rejects.toMatchObject({ code: 'CLIP_FAILED' })
  await expect(clips.result(clip, 'npz')).rejects.toMatchObject({ code: 'CLIP_FAILED' })
})

describe('says by name', () => {
  test('that a key is wanted, and takes one from a function', async () => {
    const { url, keys } = await setup({ config: { auth: 'keys' } })
    let key: string | null = null
    const clips = new ClipsClient({ url, key: () => key })
    await expect(clips.create(small)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    key = (await addKey(keys)).value
    expect((await clips.create(small, npz)).results).toEqual(['npz'])
  })

  test.each([
    ['an empty file', new Blob([]), {}, 'CLIP_INVALID'],
    ['what is no video', new Blob(['x'.repeat(5000)]), {}, 'CLIP_INVALID'],
    ['a model that nobody serves', new Blob(['x']), { model: 'none' }, 'MODEL_UNKNOWN'],
    ['an address inside', 'http://127.0.0.1:1/walk.mp4', {}, 'URL_FORBIDDEN']
  ] as const)('%s', async (_, video, wishes, code) => {
    const { clips } = await setup()
    await expect(clips.create(video, wishes)).rejects.toMatchObject({ code })
  })

  test('that there is no server, and that an upload has stood still for too long', async () => {
    const nobody = new ClipsClient({ url: 'http://127.0.0.1:1' })
    await expect(nobody.create(small)).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    const { url, proxy } = await setup()
    const clips = new ClipsClient({ url, patienceMs: 100 })
    const onProgress = (bytes: number) => void (bytes > 0 && proxy.refuse())
    await expect(clips.create(large, { onProgress })).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  })

  test('a file that cannot be read, and does not ask again', async () => {
    const { clips } = await setup()
    const arrayBuffer = () => Promise.reject(new Error('it is gone'))
    const gone = { size: 5_000_000, slice: () => ({ arrayBuffer }) }
    await expect(clips.create(gone)).rejects.toThrow('it is gone')
  })
})

test('a link that leads to another server is followed without the key', async () => {
  const seen: (string | undefined)[] = []
  const listen = async (answer: () => object) => {
    const server = http.createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.end(JSON.stringify(answer()))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }
  const clip = { id: 'x', state: 'queued', progress: {}, failure: null, links: { self: 'x', results: {} } }
  const elsewhere = await listen(() => clip)
  const url = await listen(() => ({ ...clip, links: { self: `${elsewhere}v1/clips/x`, results: {} } }))
  const clips = new ClipsClient({ url, key: 'lk_x' })
  await clips.get(await clips.create('https://example.com/walk.mp4'))
  expect(seen).toEqual(['Bearer lk_x', undefined])
})

test('events are read however they are cut, without comments, and one that is not whole is not told', async () => {
  const bytes = new TextEncoder().encode(
    ': hi\n\nid: 1\nevent: ä\ndata: {"ä": 1}\n\nretry: 5\n\nid: 2\ndata: b\n\ndata: half'
  )
  for (const size of [1, 2, 7, bytes.length]) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
        controller.close()
      }
    })
    const events = []
    for await (const event of eventsOf(body)) events.push(event)
    expect(events).toEqual([
      { id: '1', data: '{"ä": 1}' },
      { id: '2', data: 'b' }
    ])
  }
})
