import net from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { LeadlineError } from '../../src/errors.ts'
import { testApp } from '../helpers/build-app.ts'
import { fakeEngine, stepGate } from '../helpers/fake-engine.ts'
import { greyFrame, openStream } from '../helpers/stream-client.ts'

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
  sessions.models = () => Promise.reject(new LeadlineError('NO_CAPACITY', 'full', { retryAfterMs: 2500 }))
  const response = await app.inject('/v1/models')
  expect(response.statusCode).toBe(503)
  const { retryAfterMs } = response.json<{ retryAfterMs: number }>()
  expect(response.headers['retry-after']).toBe(String(Math.ceil(retryAfterMs / 1000)))
  expect(response.json()).toMatchObject({ code: 'NO_CAPACITY', detail: 'full', temporary: true })
})

test('what names a host, a file or a script is the operator’s: a line in the log, a count, no word to the client', async () => {
  const { app, sessions, logged } = await testApp()
  const detail = 'Redis at redis://10.0.0.7:6379 cannot be reached (NOSCRIPT 0f5a)'
  sessions.models = () => Promise.reject(new LeadlineError('STORE_UNAVAILABLE', detail))
  const response = await app.inject('/v1/models')
  expect(response.json()).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    detail: 'The servers cannot reach their store; try again'
  })
  expect(response.body).not.toMatch(/10\.0\.0\.7|NOSCRIPT/)
  const level = 40
  expect(logged).toContainEqual(expect.objectContaining({ level, code: 'STORE_UNAVAILABLE', detail }))
  const { body: metrics } = await app.inject('/metrics')
  expect(metrics).toContain('leadline_failures_total{code="STORE_UNAVAILABLE"} 1')
})

test('what was not foreseen is hidden from the client and written to the log with the same request id', async () => {
  const { app, sessions, logged } = await testApp()
  sessions.models = () => Promise.reject(new TypeError('password is hunter2'))
  const response = await app.inject('/v1/models')
  expect(response.statusCode).toBe(500)
  expect(response.body).not.toContain('hunter2')
  const { requestId, code } = response.json<{ requestId: string; code: string }>()
  expect(code).toBe('INTERNAL')
  const line = logged.find(({ msg }) => msg === 'unexpected failure')
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

test('a path that cannot be decoded and a request that is no HTTP are problems like any other', async () => {
  const { app, listen } = await testApp()
  const undecodable = await app.inject('/v1/clips/%E0%A4%A')
  expect(undecodable.statusCode).toBe(400)
  expect(undecodable.json()).toMatchObject({
    code: 'REQUEST_INVALID',
    detail: expect.stringContaining('%E0%A4%A')
  })

  const socket = net.connect(Number(new URL(await listen()).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write('HELLO THERE\r\n\r\n')
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json/s)
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: 'REQUEST_INVALID' })
})

test('while the server closes, a request on an open connection is sent elsewhere', async () => {
  const gate = stepGate()
  const { app, listen } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  const url = await listen()
  const client = await openStream(url)
  gate.shut()
  client.send(greyFrame(0))
  client.send({ type: 'ping' })
  await client.expect('pong')
  const closing = app.close()
  expect(await client.next()).toMatchObject({ type: 'drop', seq: 0, reason: 'closed' })
  const response = await fetch(`${url}/v1/models`)
  gate.open()
  await closing
  expect(response.status).toBe(503)
  expect(await response.json()).toMatchObject({ code: 'DRAINING', temporary: true })
})
