import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { testApp } from '../../helpers/build-app.ts'
import type { TestApp } from '../../helpers/build-app.ts'
import { mp4 } from '../../helpers/clip-files.ts'
import { ended } from '../../helpers/clip-requests.ts'
import type { ClipBody } from '../../helpers/clip-requests.ts'
import { eventually } from '../../helpers/eventually.ts'

let video: Buffer
let other: Buffer
beforeAll(async () => {
  video = await mp4({ frames: 2, width: 84, height: 56 })
  other = await mp4({ frames: 3, width: 84, height: 56 })
})

function send(app: TestApp['app'], key: string, { body = video, query = '?results=npz' } = {}) {
  const headers = { 'content-type': 'video/mp4', 'idempotency-key': key }
  return app.inject({ method: 'POST', url: `/v1/clips${query}`, payload: body, headers })
}

const count = async (app: TestApp['app']) =>
  (await app.inject('/v1/clips')).json<{ clips: unknown[] }>().clips.length

describe('a request with an Idempotency-Key', () => {
  test('has the same clip when it is sent again, with or without quotation marks', async () => {
    const { app } = await testApp()
    const first = await send(app, 'one')
    const { id } = first.json<ClipBody>()
    await ended(app, id)
    const again = await send(app, '"one"')
    expect(again.statusCode).toBe(202)
    expect(again.headers.location).toBe(first.headers.location)
    expect(again.json()).toMatchObject({ id, state: 'done' })
    expect((await send(app, 'two')).json<ClipBody>().id).not.toBe(id)
    expect(await count(app)).toBe(2)
  })

  test('is refused with another video or other wishes', async () => {
    const { app } = await testApp()
    await send(app, 'one')
    for (const change of [{ body: other }, { query: '?results=depth.mp4' }]) {
      const refused = await send(app, 'one', change)
      expect(refused.statusCode).toBe(422)
      expect(refused.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', temporary: false })
    }
    expect(await count(app)).toBe(1)
  })

  test('is told to wait while the first is on its way, and may be sent again when that failed', async () => {
    const { app, listen, config } = await testApp()
    const url = await listen()
    const half = new AbortController()
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const first = fetch(`${url}/v1/clips`, {
      ...{ method: 'POST', body: readable, duplex: 'half', signal: half.signal },
      headers: { 'content-type': 'video/mp4', 'idempotency-key': 'one' }
    } as RequestInit).catch(() => null)
    await writer.write(new Uint8Array(video.subarray(0, 100)))
    await eventually(() => readdir(path.join(config.dataDir, 'clips'))).toHaveLength(1)
    expect((await send(app, 'one')).json()).toMatchObject({ code: 'IDEMPOTENCY_PENDING', temporary: true })
    half.abort()
    await first
    await eventually(async () => (await send(app, 'one')).statusCode).toBe(202)
    expect(await count(app)).toBe(1)
  })

  test('has a key of a sensible length', async () => {
    const { app } = await testApp()
    for (const key of ['', '""', 'x'.repeat(256)])
      expect((await send(app, key)).json()).toMatchObject({ code: 'REQUEST_INVALID' })
  })
})
