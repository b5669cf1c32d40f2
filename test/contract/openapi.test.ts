import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { Access } from '../../src/access/index.ts'
import { buildApp } from '../../src/api/index.ts'
import { noSessions } from '../../src/api/no-sessions.ts'
import { openapiDocument } from '../../src/api/openapi-document.ts'
import { loadConfig } from '../../src/config.ts'
import { errorCodes, errorDefinition, isErrorCode } from '../../src/errors.ts'

interface Operation {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  responses: Record<string, { description?: string; content?: Record<string, unknown> }>
}

const committed = readFileSync(path.join(import.meta.dirname, '..', '..', 'openapi.yaml'), 'utf8')
const document = parse(committed) as {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: { Problem: { properties: { code: { enum: string[] } } } } }
}
const operations = Object.entries(document.paths).flatMap(([route, methods]) =>
  Object.entries(methods).map(
    ([method, operation]) => [`${method.toUpperCase()} ${route}`, operation] as const
  )
)

test('openapi.yaml is what the routes say; if not, npm run openapi', async () => {
  const config = loadConfig({ LEADLINE_PORT: '0' })
  const app = await buildApp({
    access: new Access(null),
    config,
    sessions: noSessions,
    log: pino({ level: 'silent' })
  })
  onTestFinished(() => app.close())
  expect(await openapiDocument(app)).toBe(committed)
})

test('every route is there', () => {
  expect(document.openapi).toMatch(/^3\.1/)
  expect(operations.map(([name]) => name).sort()).toEqual([
    'DELETE /v1/clips/{id}',
    'DELETE /v1/sessions/{id}',
    'DELETE /v1/uploads/{id}',
    'GET /livez',
    'GET /metrics',
    'GET /readyz',
    'GET /v1/clips',
    'GET /v1/clips/{id}',
    'GET /v1/clips/{id}/events',
    'GET /v1/clips/{id}/results/{name}',
    'GET /v1/models',
    'GET /v1/sessions',
    'GET /v1/stream',
    'GET /v1/usage',
    'GET /v1/webhooks',
    'GET /v1/workers',
    'GET /v1/workers/rebalance',
    'HEAD /v1/uploads/{id}',
    'PATCH /v1/uploads/{id}',
    'POST /v1/clips',
    'POST /v1/clips/{id}/cancel',
    'POST /v1/depth',
    'POST /v1/tickets',
    'POST /v1/uploads',
    'POST /v1/webhooks/secret',
    'POST /v1/webhooks/{id}/resend',
    'POST /v1/workers/rebalance',
    'POST /v1/workers/{id}/drain'
  ])
})

test.each(operations)('%s says what it is, what it answers and how it fails', (_, operation) => {
  expect(operation).toMatchObject({
    operationId: expect.stringMatching(/^[a-z][A-Za-z]+$/),
    summary: expect.stringMatching(/\w/),
    description: expect.stringMatching(/\w{3}/),
    tags: [expect.any(String)]
  })
  const responses = Object.entries(operation.responses)
  expect(responses.some(([status]) => Number(status) < 300)).toBe(true)
  for (const [status, { description, content }] of responses) {
    expect(description, status).toMatch(/\w/)
    if (Number(status) < 400) continue
    expect(Object.keys(content ?? {})).toEqual(['application/problem+json'])
    for (const code of description?.match(/\b[A-Z]+(?:_[A-Z]+)*(?=: )/g) ?? [
      expect.fail(`${status} names no code`)
    ]) {
      expect(isErrorCode(code) && errorDefinition(code).status, code).toBe(Number(status))
    }
  }
})

test('a problem may have any code of the registry and no other', () => {
  expect(document.components.schemas.Problem.properties.code.enum).toEqual(errorCodes)
})
