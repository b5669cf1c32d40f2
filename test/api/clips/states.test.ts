import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { TestApp } from '../../helpers/build-app.ts'
import { testApp } from '../../helpers/build-app.ts'
import { mp4 } from '../../helpers/clip-files.ts'
import { accepted, ended, state } from '../../helpers/clip-requests.ts'
import type { ClipBody } from '../../helpers/clip-requests.ts'
import { eventually } from '../../helpers/eventually.ts'
import { fakeEngine, stepGate } from '../../helpers/fake-engine.ts'

let video: Buffer
beforeAll(async () => {
  video = await mp4({ frames: 4, width: 84, height: 56 })
})

interface Page {
  clips: ClipBody[]
  cursor: string | null
}

const page = async (app: TestApp['app'], query = '') => (await app.inject(`/v1/clips${query}`)).json<Page>()

const cancel = (app: TestApp['app'], id: string) =>
  app.inject({ method: 'POST', url: `/v1/clips/${id}/cancel` })

test('clips are listed newest first, by pages and by state, with links that hold from there', async () => {
  const { app } = await testApp()
  const made: string[] = []
  for (let i = 0; i < 3; i++) {
    made.unshift((await accepted(app, video, '?results=npz')).id)
    await ended(app, made[0] ?? '')
  }
  const first = await page(app, '?limit=2')
  expect(first.clips.map(({ id }) => id)).toEqual(made.slice(0, 2))
  const second = await page(app, `?limit=2&cursor=${encodeURIComponent(first.cursor ?? '')}`)
  expect(second).toMatchObject({ clips: [{ id: made[2] }], cursor: null })
  expect(first.clips[0]?.links).toEqual({
    self: `clips/${made[0]}`,
    results: { npz: `clips/${made[0]}/results/npz` }
  })
  expect((await page(app, '?state=done,failed')).clips).toHaveLength(3)
  expect((await page(app, '?state=queued&state=cancelled')).clips).toEqual([])
  const wrong = await app.inject('/v1/clips?state=asleep')
  expect(wrong.json()).toMatchObject({
    code: 'REQUEST_INVALID',
    detail: expect.stringContaining('cancelled')
  })
})

test('a clip that is cancelled stops, keeps its document alone, and the next one runs', async () => {
  const gate = stepGate()
  const engine = fakeEngine({ beforeStep: gate.beforeStep })
  const { app, config } = await testApp({ engine })
  gate.shut()
  const [running, waiting, next] = [
    await accepted(app, video),
    await accepted(app, video),
    await accepted(app, video)
  ]
  await eventually(async () => (await state(app, running.id)).state).toBe('running')
  expect((await cancel(app, waiting.id)).json()).toMatchObject({ state: 'cancelled' })
  const cancelling = cancel(app, running.id)
  gate.open()
  const cancelled = (await cancelling).json<ClipBody>()
  expect(cancelled).toMatchObject({ state: 'cancelled', links: { self: `../${running.id}`, results: {} } })
  expect((await ended(app, next.id)).state).toBe('done')
  for (const { id } of [running, waiting]) {
    expect(await state(app, id)).toMatchObject({ state: 'cancelled', failure: null })
    const files = async () => (await readdir(path.join(config.dataDir, 'clips', id))).toSorted()
    await eventually(files).toEqual(['.leadline-clip', 'clip.json'])
  }
  expect((await app.inject(`/v1/clips/${running.id}/results/depth.mp4`)).json()).toMatchObject({
    code: 'CLIP_FAILED',
    detail: expect.stringContaining('it was cancelled')
  })
  expect((await cancel(app, next.id)).json()).toMatchObject({ state: 'done' })
  expect((await cancel(app, '00000000-0000-4000-8000-000000000000')).json()).toMatchObject({
    code: 'CLIP_UNKNOWN'
  })
})

test('a clip that was cancelled stays so in the next life', async () => {
  const gate = stepGate()
  const before = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  gate.shut()
  const { id } = await accepted(before.app, video)
  const cancelling = cancel(before.app, id)
  gate.open()
  await cancelling
  await before.app.close()
  const after = await testApp({ config: { dataDir: before.config.dataDir } })
  expect(await state(after.app, id)).toMatchObject({ state: 'cancelled' })
})
