import { expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { testManifest } from '../helpers/fake-engine.ts'

test('the process is alive and ready as long as a worker takes sessions', async () => {
  const { app } = await testApp()
  expect((await app.inject('/livez')).json()).toEqual({ alive: true })
  expect((await app.inject('/readyz')).json()).toEqual({ ready: true })
})

test('a process without a worker to open sessions on is alive and not ready, and says why', async () => {
  const { app, sessions } = await testApp()
  await sessions.drain()
  const response = await app.inject('/readyz')
  expect(response.statusCode).toBe(503)
  expect(response.json()).toMatchObject({
    code: 'NO_WORKER',
    temporary: true,
    detail: expect.stringMatching(/\w/)
  })
  expect((await app.inject('/livez')).statusCode).toBe(200)
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
