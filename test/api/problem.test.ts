import { expect, test } from 'vitest'
import { LeadlineError } from '../../src/errors.ts'
import { testApp } from '../helpers/build-app.ts'

test('an unknown path is named in the problem', async () => {
  const { app } = await testApp()
  const response = await app.inject('/v2/stream?token=secret')
  expect(response.statusCode).toBe(404)
  expect(response.headers['content-type']).toContain('application/problem+json')
  expect(response.json()).toEqual({
    type: 'urn:leadline:problem:route-unknown',
    title: 'There is no such path',
    status: 404,
    detail: 'There is no GET /v2/stream; openapi.yaml lists what there is',
    code: 'ROUTE_UNKNOWN',
    temporary: false,
    requestId: response.headers['x-request-id']
  })
})

test('a temporary failure says when to come back', async () => {
  const { app, sessions } = await testApp()
  sessions.models = () =>
    Promise.reject(new LeadlineError('STORE_UNAVAILABLE', 'gone', { retryAfterMs: 2500 }))
  const response = await app.inject('/v1/models')
  expect(response.statusCode).toBe(503)
  expect(response.headers['retry-after']).toBe('3')
  expect(response.json()).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    detail: 'gone',
    temporary: true,
    retryAfterMs: 2500
  })
})

test('what was not foreseen is hidden from the client and written to the log with the same request id', async () => {
  const { app, sessions, logged } = await testApp()
  sessions.models = () => Promise.reject(new TypeError('password is hunter2'))
  const response = await app.inject('/v1/models')
  expect(response.statusCode).toBe(500)
  expect(response.body).not.toContain('hunter2')
  const { requestId, code } = response.json<{ requestId: string; code: string }>()
  expect(code).toBe('INTERNAL')
  const line = logged.find(({ msg }) => msg === 'request failed')
  expect(line).toMatchObject({ reqId: requestId, err: { message: 'password is hunter2' } })
})

test('a query parameter that does not exist is refused and named, not ignored', async () => {
  const { app } = await testApp()
  const response = await app.inject({ method: 'POST', url: '/v1/depth?formt=png16', payload: 'x' })
  expect(response.statusCode).toBe(400)
  expect(response.json()).toMatchObject({
    code: 'REQUEST_INVALID',
    detail: 'The query has no parameter "formt"'
  })
})

test('a parameter out of its range is named with what is allowed', async () => {
  const { app } = await testApp()
  const response = await app.inject({ method: 'POST', url: '/v1/depth?quality=101', payload: 'x' })
  expect(response.json()).toMatchObject({
    code: 'REQUEST_INVALID',
    detail: expect.stringMatching(/"quality" in the query must be <= 100/)
  })
})
