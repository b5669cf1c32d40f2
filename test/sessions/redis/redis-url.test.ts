import { expect, onTestFinished, test } from 'vitest'
import { parseRedisUrl, withoutPassword } from '../../../src/sessions/redis/redis-address.ts'
import { RedisConnections } from '../../../src/sessions/redis/redis-connections.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { startRedis } from '../../helpers/redis.ts'

test.each([
  ['redis://host:6379', 'redis://host:6379'],
  ['rediss://user:secret@[::1]:6380/2', 'rediss://[::1]:6380/2'],
  ['redis://user:secret@secret@host:6379', 'redis://host:6379'],
  ['redis://host:6379?password=secret', 'redis://host:6379'],
  ['redis://:sec/ret@host:6379', 'the address in REDIS_URL'],
  ['secret@host', 'the address in REDIS_URL'],
  ['secret:6379', 'the address in REDIS_URL'],
  ['redis+sentinel://:secret@a,b:1/depth?sentinelPassword=secret', 'redis+sentinel://a,b:1/depth'],
  ['rediss+cluster://user:secret@secret@a:1,b:2', 'rediss+cluster://a:1,b:2'],
  ['redis+sentinel://:sec/ret@a/depth', 'redis+sentinel://a/depth']
])('the address %s is shown as %s', (url, shown) => {
  expect(withoutPassword(url)).toBe(shown)
})

test('an address of sentinels names them, their master, and how to get in', () => {
  expect(parseRedisUrl('redis+sentinel://u%40:p%2Fw@a:1,[::1],b/depth?db=3&sentinelPassword=s')).toEqual({
    kind: 'sentinel',
    nodes: [
      { host: 'a', port: 1 },
      { host: '::1', port: 26379 },
      { host: 'b', port: 26379 }
    ],
    name: 'depth',
    options: { username: 'u@', password: 'p/w', db: 3, sentinelPassword: 's' }
  })
})

test('an address of a cluster names its nodes; rediss means TLS', () => {
  const nodes = [
    { host: 'a', port: 6379 },
    { host: 'b', port: 7 }
  ]
  expect(parseRedisUrl('redis+cluster://a,b:7')).toEqual({ kind: 'cluster', nodes, options: {} })
  expect(parseRedisUrl('rediss+cluster://:p@a,b:7')).toEqual({
    ...{ kind: 'cluster', nodes },
    options: { password: 'p', tls: {} }
  })
})

test.each([
  ['redis+sentinel://secret@a,b', 'names no master'],
  ['redis+sentinel://secret@a/depth?db=x', 'names the database "x"'],
  ['redis+cluster://secret@a/1', 'one database'],
  ['redis+cluster://secret@a:b', 'a host that cannot be read'],
  ['redis+cluster://', 'cannot be read'],
  ['redis+other://secret@a', 'cannot be read']
])('the address %s is refused, with the forms there are and no password', (url, why) => {
  const said = (): string => {
    try {
      return String(parseRedisUrl(url))
    } catch (error) {
      return (error as Error).message
    }
  }
  expect(said()).toContain(why)
  expect(said()).toContain('redis+sentinel://HOST')
  expect(said()).not.toContain('secret')
})

test.each([
  ['noeviction', 0],
  ['allkeys-lru', 1]
])('of a Redis whose policy is %s there are %i warnings that name the setting', async (policy, count) => {
  const server = await startRedis(['--maxmemory-policy', policy])
  onTestFinished(() => server.stop())
  const log = quietLog()
  const redis = await RedisConnections.open(server.url, log)
  onTestFinished(() => redis.close())
  const warnings = log.lines.filter(({ level }) => level === 'warn')
  expect(warnings.length).toBe(count)
  for (const { message } of warnings) expect(message).toMatch(/set its maxmemory-policy to noeviction/)
})
