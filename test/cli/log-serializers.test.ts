import { Redis } from 'ioredis'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { logSerializers } from '../../src/cli/log-serializers.ts'
import { LeadlineError } from '../../src/errors.ts'
import { startRedis } from '../helpers/redis.ts'

const secret = 'planted-secret'

function logged(fields: object): string {
  const lines: string[] = []
  pino({ serializers: logSerializers }, { write: (line: string) => void lines.push(line) }).error(
    fields,
    'it'
  )
  return lines.join('')
}

test('a reply of Redis is told without its command, whatever it is wrapped in', async () => {
  const server = await startRedis(['--requirepass', 'right'])
  onTestFinished(() => server.stop())
  const redis = new Redis({ port: server.port, password: 'right' })
  onTestFinished(() => redis.disconnect())
  const failures = [
    await redis.auth(secret).catch((error: unknown) => error),
    await redis.call('NOSUCHCOMMAND', secret).catch((error: unknown) => error),
    await redis
      .config('SET', 'maxmemory', '1')
      .then(() => redis.set(secret, '1').catch((error: unknown) => error))
  ]
  // What makes this worth a test.
  expect(failures.map((failure) => JSON.stringify(failure).includes(secret))).toEqual([true, true, true])
  for (const [i, reply] of ['WRONGPASS', 'unknown command', 'OOM'].entries()) {
    const failure = failures[i] as Error
    for (const err of [
      failure,
      new LeadlineError('STORE_UNAVAILABLE', 'The store is away', { cause: failure }),
      new AggregateError([failure], 'all of them'),
      Object.assign(new Error('the last of several'), { lastNodeError: failure })
    ]) {
      const line = logged({ err })
      expect(line).not.toContain(secret)
      if (!('lastNodeError' in err)) expect(line).toContain(reply)
    }
    expect(logged({ reason: failure.message })).not.toContain(secret)
  }
})

test('of a failure its type, what it says, where it came from and its code are told', () => {
  const cause = Object.assign(new Error('no such file'), { code: 'ENOENT' })
  const { err } = JSON.parse(logged({ err: new LeadlineError('CLIP_UNKNOWN', 'It is gone', { cause }) })) as {
    err: Record<string, string>
  }
  expect(err).toMatchObject({
    type: 'LeadlineError',
    code: 'CLIP_UNKNOWN',
    message: 'It is gone: no such file'
  })
  expect(err.stack).toContain('log-serializers.test.ts')
  expect(JSON.parse(logged({ err: 'only words' }))).toMatchObject({ err: { message: 'only words' } })
})
