import { expect, test } from 'vitest'
import { withoutPassword } from '../../../src/sessions/redis/redis-connections.ts'

test.each([
  ['redis://host:6379', 'redis://host:6379'],
  ['rediss://user:secret@[::1]:6380/2', 'rediss://[::1]:6380/2'],
  ['redis://user:secret@secret@host:6379', 'redis://host:6379'],
  ['redis://host:6379?password=secret', 'redis://host:6379'],
  ['redis://:sec/ret@host:6379', 'the address in REDIS_URL'],
  ['secret@host', 'the address in REDIS_URL'],
  ['secret:6379', 'the address in REDIS_URL']
])('the address %s is shown as %s', (url, shown) => {
  expect(withoutPassword(url)).toBe(shown)
})
