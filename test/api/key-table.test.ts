import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { scopes } from '../../src/access/index.ts'
import type { KeyWish } from '../../src/access/index.ts'
import { startTestApp } from '../helpers/build-app.ts'
import type { TestApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { addKey } from '../helpers/keys.ts'
import type { TestKey } from '../helpers/keys.ts'
import { routeTable } from '../helpers/route-table.ts'
import type { Operation } from '../helpers/route-table.ts'
import { openStream } from '../helpers/stream-client.ts'
import { makeClip, temporaryFolder } from '../video/clip-file.ts'

let service: TestApp & { close(): Promise<void> }
let operations: Operation[]
beforeAll(async () => {
  const pageFolder = await mkdtemp(path.join(os.tmpdir(), 'leadline-page-'))
  for (const file of ['index.html', 'page.js']) await writeFile(path.join(pageFolder, file), '')
  const config = { auth: 'keys', refusalsPerMinute: 100_000 } as const
  const table = await routeTable(() => startTestApp({ config, pageFolder }))
  await table.made.app.ready()
  await rm(pageFolder, { recursive: true })
  service = table.made
  operations = table.operations
})
afterAll(() => service.close())

const guarded = () => operations.filter(({ isOpen }) => !isOpen)

function ask({ method, path }: Pick<Operation, 'method' | 'path'>, headers: Record<string, string> = {}) {
  const url = path
    .replace('{name}', 'depth.mp4')
    .replaceAll(/\{\w+\}/g, absent)
    .replace('*', 'v1/models')
  const ofUploads = { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': partType }
  const beside = path.startsWith('/v1/uploads') ? ofUploads : {}
  return service.app.inject({ method: method as 'GET', url, headers: { ...beside, ...headers } })
}

const partType = 'application/offset+octet-stream'

/** An id that every kind of thing may have. */
const absent = '00000000-0000-4000-8000-000000000000'

type Answer = Awaited<ReturnType<typeof ask>>

/** What an answer says, beside its status; an answer to HEAD says nothing. */
function told({ method }: Operation, answer: Answer): object {
  return method === 'HEAD' ? {} : answer.json<object>()
}

function problem({ method }: Operation, expected: object): object {
  return method === 'HEAD' ? {} : expected
}

const make = (wish: Partial<KeyWish> = {}) => addKey(service.keys, { scopes, ...wish })

test('what is open to everybody is the page, and what says that the process lives and is ready', async () => {
  const answered = new Set<string>()
  for (const operation of operations.filter(({ isOpen }) => isOpen)) {
    const { method, path } = operation
    // Says which methods a path has, no more.
    if (method === 'OPTIONS') continue
    const answer = await ask(operation)
    const isRefused = answer.statusCode === 405 && answer.headers.allow !== undefined
    if (!isRefused) answered.add(`${method} ${path}`)
  }
  const open = ['/', '/livez', '/page.js', '/readyz']
  expect([...answered].sort()).toEqual(
    ['GET', 'HEAD'].flatMap((method) => open.map((at) => `${method} ${at}`))
  )
  expect(guarded().length).toBeGreaterThan(20)
})

test('what asks for a key is in the document of the interface', () => {
  const hidden = guarded().filter(({ isHidden }) => isHidden)
  expect(hidden).toEqual([])
  const { paths = {} } = service.app.swagger()
  for (const { method, path } of guarded()) {
    const described = Object.keys(paths[path] ?? {})
    // Of what is read HEAD is the same without a body.
    expect(described, `${method} ${path}`).toContain(
      method === 'HEAD' && !described.includes('head') ? 'get' : method.toLowerCase()
    )
  }
})

test('every operation says that it may refuse a key, and that there may be nothing where it is given an id', () => {
  for (const { method, path, statuses } of guarded())
    expect(statuses, `${method} ${path}`).toEqual(
      expect.arrayContaining(path.includes('{id}') ? [401, 403, 404] : [401, 403])
    )
})

describe.each<[string, () => Promise<TestKey | null>, RegExp]>([
  ['no key', async () => null, /^Bearer realm="leadline"(, scope="\w+")?$/],
  ['a key that was never made', async () => addKey({ add: async () => {} }), /error="invalid_token"/],
  ['a key that has run out', () => make({ expiresAtMs: Date.now() - 1 }), /error="invalid_token"/],
  ['a key that was revoked', () => makeRevoked(), /error="invalid_token"/]
])('with %s', (_, shown, challenge) => {
  test('every operation answers 401, and says what is wanted', async () => {
    const key = await shown()
    for (const operation of guarded()) {
      const answer = await ask(operation, key?.headers)
      const what = `${operation.method} ${operation.path}`
      expect(answer.statusCode, what).toBe(401)
      expect(told(operation, answer), what).toMatchObject(
        problem(operation, { code: 'UNAUTHENTICATED', status: 401, temporary: false })
      )
      expect(answer.headers['www-authenticate'], what).toMatch(challenge)
    }
  })
})

async function makeRevoked(): Promise<TestKey> {
  const made = await make()
  await service.keys.revoke(made.key.id, Date.now())
  return made
}

test('a key without the scope of an operation gets 403, and is told the scope', async () => {
  for (const operation of guarded().filter(({ scope }) => scope !== null)) {
    const others = scopes.filter((scope) => scope !== operation.scope && scope !== 'admin')
    const answer = await ask(operation, (await make({ scopes: others })).headers)
    const what = `${operation.method} ${operation.path}`
    expect(answer.statusCode, what).toBe(403)
    expect(told(operation, answer), what).toMatchObject(
      problem(operation, { code: 'FORBIDDEN', detail: expect.stringContaining(operation.scope!) })
    )
    expect(answer.headers['www-authenticate'], what).toMatch(
      new RegExp(`error="insufficient_scope", scope="${operation.scope}"`)
    )
  }
})

test('a key with that scope alone, or with admin alone, is let in', async () => {
  for (const operation of guarded())
    for (const granted of [operation.scope === null ? [] : [operation.scope], ['admin'] as const]) {
      const { statusCode } = await ask(operation, (await make({ scopes: granted })).headers)
      expect([401, 403], `${operation.method} ${operation.path}`).not.toContain(statusCode)
    }
})

describe('what another key made', () => {
  /** Something that the key has made, by the path of its kind: a new kind must say here how it is made. */
  const kinds: Record<string, (by: TestKey) => Promise<string>> = {
    '/v1/sessions': async (by) => {
      const url = await service.listen()
      const client = await openStream(url, { resumable: true }, { headers: by.headers })
      return client.ready.session
    },
    '/v1/clips': async (by) => {
      const video = await readFile(await makeClip(path.join(await temporaryFolder(), 'walk.mp4'), 2))
      const headers = { ...by.headers, 'content-type': 'video/mp4' }
      const taken = await service.app.inject({ method: 'POST', url: '/v1/clips', headers, payload: video })
      return taken.json<{ id: string }>().id
    },
    '/v1/uploads': async (by) => {
      const headers = { ...by.headers, 'tus-resumable': '1.0.0', 'upload-length': '100' }
      const begun = await service.app.inject({ method: 'POST', url: '/v1/uploads', headers })
      return String(begun.headers.location).slice('uploads/'.length)
    },
    '/v1/webhooks': async (by) => {
      const { headers } = by
      await service.app.inject({ method: 'POST', url: '/v1/webhooks/secret', headers })
      const video = await readFile(await makeClip(path.join(await temporaryFolder(), 'walk.mp4'), 2))
      await service.app.inject({
        ...{ method: 'POST', url: '/v1/clips?results=npz&webhook=http://localhost:1/', payload: video },
        headers: { ...headers, 'content-type': 'video/mp4' }
      })
      const dead = async () => {
        const list = await service.app.inject({ url: '/v1/webhooks', headers })
        return list.json<{ webhooks: { id: string }[] }>().webhooks
      }
      await eventually(async () => (await dead()).length).toBe(1)
      return (await dead())[0]!.id
    }
  }

  test('is the same to a stranger as what is not there', async () => {
    const [mine, stranger] = [
      await make(),
      await make({ scopes: scopes.filter((scope) => scope !== 'admin') })
    ]
    const made = new Map<string, string>()
    // What is for admins alone is nobody's own.
    const own = guarded().filter(({ scope, path }) => scope !== 'admin' && path.includes('{id}'))
    for (const operation of own) {
      const { method, path } = operation
      const kind = path.slice(0, path.indexOf('/{id}'))
      if (!made.has(kind)) made.set(kind, await kinds[kind]!(mine))
      const id = made.get(kind)!
      const foreign = await ask({ method, path: path.replace('{id}', id) }, stranger.headers)
      const none = await ask({ method, path }, stranger.headers)
      expect(foreign.statusCode, `${method} ${path}`).toBe(404)
      const same = (answer: Answer) => ({ ...told(operation, answer), requestId: '' })
      expect(JSON.stringify(same(foreign)).replaceAll(id, absent)).toBe(JSON.stringify(same(none)))
    }
  })
})

test('a foreign page is refused before it is asked for a key', async () => {
  const answer = await ask({ method: 'GET', path: '/v1/models' }, { origin: 'https://evil.example' })
  expect(answer.json()).toMatchObject({ code: 'ORIGIN_FORBIDDEN' })
  expect(answer.headers['www-authenticate']).toBeUndefined()
})

test('a page that is let in may ask whether it may show a key', async () => {
  const headers = { origin: 'http://localhost', 'access-control-request-method': 'GET' }
  const answer = await service.app.inject({
    ...{ method: 'OPTIONS', url: '/v1/models' },
    headers: { ...headers, 'access-control-request-headers': 'authorization' }
  })
  expect(answer.statusCode).toBe(204)
  expect(answer.headers['access-control-allow-headers']).toBe('authorization')
})

test('a route that does not say who may use it is not made', async () => {
  const made = await startTestApp()
  onTestFinished(made.close)
  expect(() => made.app.get('/v1/forgotten', async () => 'open')).toThrow(/does not say who may use it/)
})
