import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openAccess } from '../../src/access/index.ts'
import { keyTable, toldOfKey } from '../../src/cli/key-table.ts'
import { loadConfig } from '../../src/config.ts'
import { addKey } from '../helpers/keys.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import { parse } from './parse.ts'

/** A place for keys of its own, for the commands and for a server. */
async function place(kind: 'folder' | 'Redis'): Promise<Record<string, string>> {
  const env: Record<string, string> = {}
  if (kind === 'folder') {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-test-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    env['LEADLINE_DATA_DIR'] = folder
  } else {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    Object.assign(env, { REDIS_URL: redis.url, LEADLINE_KEY_PREFIX: randomPrefix() })
  }
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
  return env
}

const quiet = pino({ level: 'silent' })

test.each(['folder', 'Redis'] as const)('a key in the %s is made, listed and revoked', async (kind) => {
  const env = await place(kind)
  const made = await parse([
    'keys',
    'create',
    'camera 1',
    '--scopes',
    'stream,clips',
    '--expires',
    '90d',
    '--limit',
    'sessions=4',
    '--limit',
    'framesPerSecond=0.5',
    '--webhook',
    'https://example.com/hook'
  ])
  expect(made).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/"camera 1".*stream, clips/) })
  const value = made.stdout.trim()
  expect(value).toMatch(/^lk_[0-9a-f]{16}_[\w-]{43}$/)
  const server = await openAccess(loadConfig({ ...env, LEADLINE_AUTH: 'keys' }), quiet)
  onTestFinished(() => server.close())
  expect(await server.identify(value)).toMatchObject({
    key: { name: 'camera 1', webhook: 'https://example.com/hook' },
    scopes: ['stream', 'clips']
  })
  const taken = await parse(['keys', 'create', 'camera 1'])
  expect(taken).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('There is a key "camera 1" already')
  })
  const listed = await parse(['keys', 'list'])
  expect(JSON.parse(listed.stdout)).toMatchObject({
    ...{ name: 'camera 1', state: 'valid', revokedAt: null },
    limits: { sessions: 4, framesPerSecond: 0.5 }
  })
  expect(listed.stdout).not.toMatch(/hash|lk_/)
  expect(await parse(['keys', 'revoke', 'camera 1'])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  expect(JSON.parse((await parse(['keys', 'list'])).stdout)).toMatchObject({ state: 'revoked' })
  const again = await openAccess(loadConfig({ ...env, LEADLINE_AUTH: 'keys' }), quiet)
  onTestFinished(() => again.close())
  await expect(again.identify(value)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  expect((await parse(['keys', 'create', 'camera 1'])).exitCode).toBe(0)
})

test.each([
  [['create', 'a', '--scopes', 'strem'], /"strem" is no scope; there are stream, depth/],
  [['create', 'a', '--expires', 'soon'], /It must be as 90d, 12h or 30m, or a date/],
  [['create', 'a', '--expires', '2020-01-31'], /It is over already/],
  [['create', 'a', '--limit', 'sessions=0'], /as sessions=4.*there are sessions, priority, framesPerSecond/],
  [['create', 'a', '--limit', 'speed=1'], /as sessions=4/],
  [['create', 'a', '--limit', 'priority=10'], /priority=0 to 9/],
  [['create', 'a', '--webhook', 'example.com'], /"example.com" is not an address/],
  [['create', 'a', '--webhook', 'https://me:x@example.com'], /has a user or password in it/],
  [['create', 'a\nb'], /1 to 64 characters that can be seen/]
])('keys %j is wrong usage', async (args, explained) => {
  await place('folder')
  const { exitCode, stderr } = await parse(['keys', ...args])
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(explained) })
})

test('a key that is not there cannot be revoked, and where there is none that is said', async () => {
  await place('folder')
  expect(await parse(['keys', 'revoke', 'x'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('There is no key "x"')
  })
  expect(await parse(['keys', 'list'])).toMatchObject({
    stdout: '',
    stderr: expect.stringContaining('There is no key')
  })
})

test('keys that would have no place are not made', async () => {
  expect(await parse(['keys', 'create', 'a', '--port', '0'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/has no place for keys; set LEADLINE_DATA_DIR, or REDIS_URL/)
  })
})

test('on a terminal keys are a table', async () => {
  const { key } = await addKey(
    { add: async () => {} },
    { scopes: ['stream'], limits: { sessions: 2 }, expiresAtMs: 90_000_000_000 }
  )
  const one = toldOfKey({ ...key, id: 'a'.repeat(16), createdAtMs: 0 }, 100_000_000_000)
  expect(keyTable([one])).toEqual([
    'name    id                state    scopes  limits      made              runs out',
    'camera  aaaaaaaaaaaaaaaa  expired  stream  sessions=2  1970-01-01 00:00  1972-11-07 16:00'
  ])
})

test.each(['0.0.0.0', '192.0.2.1', '::'])(
  'a server at %s, where others can connect, wants a key or to be told',
  async (host) => {
    const env = await place('folder')
    const open = (more: Record<string, string> = {}) =>
      openAccess(loadConfig({ ...env, LEADLINE_HOST: host, ...more }), quiet)
    await expect(open()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`${host}.*leadline keys create.*--insecure`))
    })
    expect((await open({ LEADLINE_AUTH: 'off' })).isOpen).toBe(true)
    await parse(['keys', 'create', 'a', '--expires', '1d'])
    const access = await open()
    onTestFinished(() => access.close())
    expect(access.isOpen).toBe(false)
  }
)

test('a server that could have no keys does not start where they are wanted', async () => {
  await expect(
    openAccess(loadConfig({ LEADLINE_PORT: '0', LEADLINE_AUTH: 'keys' }), quiet)
  ).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('LEADLINE_DATA_DIR')
  })
})

test('serve says so before it loads a model', async () => {
  await place('folder')
  const refused = await parse(['serve', '--host', '0.0.0.0', '--port', '0'])
  expect(refused).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(/^leadline: At 0\.0\.0\.0 others.*leadline keys create.*--insecure/)
  })
})
