import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { environmentSchema } from '../src/environment.ts'

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
