import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { environmentSchema } from '../src/environment.ts'
import { temporaryFolder } from './video/clip-file.ts'

test('.env.example names every variable with its default and description, and no other', () => {
  const found = new Map<string, { value: string; comment: string }>()
  let comment = ''
  for (const line of readFileSync(new URL('../.env.example', import.meta.url), 'utf8').split('\n')) {
    if (line.startsWith('# ')) comment = line.slice(2)
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) found.set(name, { value, comment })
  }
  const expected = Object.entries(environmentSchema.properties).map(([name, schema]) => {
    const { default: value, description } = schema as { default?: unknown; description?: string }
    return [name, { value: String(value), comment: description }]
  })
  expect([...found]).toEqual(expected)
})

test('a value that is not valid is refused with the name of its variable', () => {
  expect(() => loadConfig({ LEADLINE_PORT: 'http' })).toThrow(/LEADLINE_PORT/)
  expect(() => loadConfig({ LEADLINE_EXECUTOR: 'gpu' })).toThrow(/LEADLINE_EXECUTOR/)
})

test('without REDIS_URL the configuration is the embedded mode', () => {
  expect(loadConfig({}).redisUrl).toBeNull()
  expect(loadConfig({ REDIS_URL: 'redis://localhost' }).redisUrl).toBe('redis://localhost')
})

test.each([
  ['redis://host:6380/2', 'redis://:a%40b%2Fc%3A@host:6380/2'],
  ['rediss://me@host', 'rediss://me:a%40b%2Fc%3A@host'],
  ['redis+sentinel://one,two/main?db=1', 'redis+sentinel://:a%40b%2Fc%3A@one,two/main?db=1']
])('the password of %s may be in a file', async (url, expected) => {
  const file = path.join(await temporaryFolder(), 'password')
  await writeFile(file, 'a@b/c:\n')
  expect(loadConfig({ REDIS_URL: url, REDIS_PASSWORD_FILE: file }).redisUrl).toBe(expected)
})

test('a file that holds no password, and a second password, are refused by name', async () => {
  const file = path.join(await temporaryFolder(), 'password')
  const load = (REDIS_URL: string) => () => loadConfig({ REDIS_URL, REDIS_PASSWORD_FILE: file })
  expect(load('redis://host')).toThrow(/REDIS_PASSWORD_FILE is ".*password".*ENOENT/)
  await writeFile(file, '\n')
  expect(load('redis://host')).toThrow(/REDIS_PASSWORD_FILE.*empty/)
  expect(load('redis://:secret@host')).toThrow(/REDIS_PASSWORD_FILE names another/)
})

test('the secret of a bucket may be in a file, and then nowhere else', async () => {
  const file = path.join(await temporaryFolder(), 'secret')
  const bucket = { LEADLINE_BUCKET_URL: 'https://host/clips', LEADLINE_BUCKET_ACCESS_KEY: 'me' }
  const load = (beside = {}) => loadConfig({ ...bucket, LEADLINE_BUCKET_SECRET_KEY_FILE: file, ...beside })
  expect(() => load()).toThrow(/LEADLINE_BUCKET_SECRET_KEY_FILE is ".*secret".*ENOENT/)
  await writeFile(file, '\n')
  expect(() => load()).toThrow(/LEADLINE_BUCKET_SECRET_KEY_FILE.*empty/)
  await writeFile(file, 'a/b+c=\n')
  expect(load().bucket).toMatchObject({ accessKey: 'me', secretKey: 'a/b+c=' })
  expect(() => load({ LEADLINE_BUCKET_SECRET_KEY: 'x' })).toThrow(
    /LEADLINE_BUCKET_SECRET_KEY_FILE names another/
  )
})
