import { beforeAll, expect, test } from 'vitest'
import { testApp } from '../../helpers/build-app.ts'
import { mp4 } from '../../helpers/clip-files.ts'
import { accepted, ended } from '../../helpers/clip-requests.ts'
import type { ClipBody } from '../../helpers/clip-requests.ts'
import { fakeEngine, stepGate } from '../../helpers/fake-engine.ts'

let video: Buffer
beforeAll(async () => {
  video = await mp4({ frames: 4, width: 84, height: 56 })
})

interface Told {
  id: string
  event: string
  clip: ClipBody
}

/** The events in a text, as the standard reads them. */
function eventsIn(text: string): Told[] {
  return text
    .split('\n\n')
    .map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2))))
    .filter((fields) => 'data' in fields)
    .map(({ id, event, data }) => ({ id, event, clip: JSON.parse(data) as ClipBody }))
}

test('a clip tells how it gets on until it has ended, and what was heard is not told again', async () => {
  const gate = stepGate()
  const { app, listen } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  const url = await listen()
  gate.shut()
  const { id } = await accepted(app, video, '?results=npz')
  const answer = await fetch(`${url}/v1/clips/${id}/events`)
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  gate.open()
  const told = eventsIn(await answer.text())
  const last = told.at(-1)
  expect(last).toMatchObject({ event: 'done', clip: { id, state: 'done', progress: { frames: 4 } } })
  expect(new Set(told.map((one) => one.id)).size).toBe(told.length)
  const link = new URL(last?.clip.links.results.npz ?? '', `${url}/v1/clips/${id}/events`)
  expect((await fetch(link)).status).toBe(200)

  const again = (heard: string) =>
    fetch(`${url}/v1/clips/${id}/events`, { headers: { 'last-event-id': heard } })
  expect((await again(last?.id ?? '')).status).toBe(204)
  expect(eventsIn(await (await again(told[0]?.id ?? '')).text())).toEqual([last])
})

test('who listens is let go when the server closes or the clip is deleted', async () => {
  const gate = stepGate()
  const { app, listen } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  const url = await listen()
  gate.shut()
  const [one, other] = [await accepted(app, video), await accepted(app, video)]
  const [first, second] = await Promise.all(
    [one, other].map(({ id }) => fetch(`${url}/v1/clips/${id}/events`))
  )
  await app.inject({ method: 'DELETE', url: `/v1/clips/${other.id}` })
  await second?.text()
  const closing = app.close()
  gate.open()
  await first?.text()
  await closing
})

test('there is nothing to hear of a clip that is not there', async () => {
  const { app } = await testApp()
  const refused = await app.inject('/v1/clips/00000000-0000-4000-8000-000000000000/events')
  expect(refused.json()).toMatchObject({ code: 'CLIP_UNKNOWN' })
  const { id } = await accepted(app, video)
  expect((await ended(app, id)).state).toBe('done')
})
