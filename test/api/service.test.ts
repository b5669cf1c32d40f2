import { expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { testManifest } from '../helpers/fake-engine.ts'

test('the process is alive and ready as long as a worker takes sessions', async () => {
  const { app } = await testApp()
  expect((await app.inject('/livez')).json()).toEqual({ alive: true })
  expect((await app.inject('/readyz')).json()).toEqual({ ready: true })
})

test('a process that cannot open sessions is alive and not ready, and says why', async () => {
  const { app, sessions } = await testApp()
  const answer = async () => (await app.inject('/readyz')).json<{ status: number; code: string }>()
  await sessions.drain()
  await eventually(answer).toMatchObject({
    status: 503,
    code: 'DRAINING',
    detail: 'Every worker is draining',
    missing: ['draining']
  })
  for (const code of ['NO_WORKER', 'STORE_UNAVAILABLE'] as const) {
    sessions.readiness = () =>
      Promise.resolve({ ready: false, code, reason: 'so it is', missing: ['worker'] })
    expect(await answer()).toMatchObject({ status: 503, code, temporary: true })
  }
  expect((await app.inject('/livez')).statusCode).toBe(200)
})

test('a process whose default model nobody serves is not ready, and names it', async () => {
  const { app } = await testApp({ config: { defaultModel: 'gigantic' } })
  const response = await app.inject('/readyz')
  expect(response.statusCode).toBe(503)
  expect(response.json()).toMatchObject({
    ...{ code: 'NO_WORKER', missing: ['model'] },
    detail: expect.stringContaining('"gigantic"')
  })
})

test('a process whose executor is gone is neither alive nor ready', async () => {
  let isAlive = true
  const { app } = await testApp({ isAlive: () => isAlive })
  expect((await app.inject('/livez')).statusCode).toBe(200)
  isAlive = false
  const livez = await app.inject('/livez')
  expect(livez.json()).toMatchObject({ status: 503, code: 'EXECUTOR_FAILED' })
  const readyz = await app.inject('/readyz')
  expect(readyz.json()).toMatchObject({ status: 503, code: 'EXECUTOR_FAILED', missing: ['executor'] })
})

test('models are listed with licence, quantity and what they can do', async () => {
  const { app } = await testApp()
  const { name, license, quantity, temporal } = testManifest
  const response = await app.inject('/v1/models')
  expect(response.json()).toMatchObject({
    models: [
      { name, license, quantity, temporal, nonCommercial: false, sessionBytes: { ovda: expect.any(Number) } }
    ]
  })
})
