import { expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { greyFrame, openStream } from '../helpers/stream-client.ts'

interface Page {
  sessions: Record<string, unknown>[]
  cursor: string | null
}

test('sessions are listed as they are, and no secret of them', async () => {
  const { app, listen } = await testApp()
  const url = await listen()
  const list = async (query = '') => (await app.inject(`/v1/sessions${query}`)).json<Page>()
  expect(await list()).toEqual({ sessions: [], cursor: null })
  const client = await openStream(url, { delivery: 'lossless' })
  client.send(greyFrame(0))
  await client.next()
  await eventually(async () => (await list()).sessions[0]?.['lastSeq']).toBe(0)
  const { sessions } = await list()
  expect(sessions).toEqual([
    {
      ...{ id: client.ready.session, state: 'attached', model: 'tiny', mode: 'ovda', worker: 'embedded' },
      ...{ deviceBytes: expect.any(Number), epoch: client.ready.epoch, lastSeq: 0 },
      ...{ createdAt: expect.any(String), touchedAt: expect.any(String) }
    }
  ])
  expect(Date.parse(String(sessions[0]?.['createdAt']))).toBeLessThanOrEqual(Date.now())
  expect(JSON.stringify(sessions)).not.toContain(client.ready.resumeToken)
})

test('a list comes in pages', async () => {
  const { app, listen } = await testApp()
  const url = await listen()
  const clients = await Promise.all([0, 1, 2].map(() => openStream(url)))
  const found: unknown[] = []
  let cursor: string | null = ''
  for (let pages = 0; cursor !== null; pages++) {
    expect(pages).toBeLessThan(3)
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`
    const page: Page = (await app.inject(`/v1/sessions?limit=1${query}`)).json()
    found.push(...page.sessions.map(({ id }) => id))
    cursor = page.cursor
  }
  expect(found).toEqual(clients.map(({ ready }) => ready.session).sort())
})

test.each(['limit=0', 'limit=1001', 'cursor=' + 'x'.repeat(65), 'page=2'])(
  'a list that is asked for with %s is refused',
  async (query) => {
    const { app } = await testApp()
    const response = await app.inject(`/v1/sessions?${query}`)
    expect(response.json()).toMatchObject({ code: 'REQUEST_INVALID', status: 400 })
  }
)

test('a session is ended from outside: its socket is told why, and its memory is free', async () => {
  const { app, listen } = await testApp()
  const client = await openStream(await listen(), { resumable: true })
  const { session } = client.ready
  const end = () => app.inject({ method: 'DELETE', url: `/v1/sessions/${session}` })
  expect((await end()).statusCode).toBe(204)
  expect(await client.rest()).toMatchObject([{ type: 'error', code: 'SESSION_ENDED', temporary: false }])
  expect(await client.closed).toEqual({ code: 4510, reason: 'SESSION_ENDED' })
  await eventually(async () => (await app.inject('/v1/sessions')).json<Page>().sessions).toEqual([])
  expect((await end()).json()).toMatchObject({ code: 'SESSION_UNKNOWN', status: 404 })
})
