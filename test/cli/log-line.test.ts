import { pino } from 'pino'
import { expect, test } from 'vitest'
import { logLine } from '../../src/cli/log-line.ts'

test('a terminal sees each event of the log as one line, with its facts and without JSON', () => {
  const lines: string[] = []
  const log = pino({ level: 'debug' }, { write: (json: string) => void lines.push(logLine(json)) })
  log.info({ url: 'http://127.0.0.1:8042', sessions: 3 }, 'listening')
  log.child({ part: 'executor' }).error({ err: new Error('out of\n  memory') }, 'a step failed')
  log.warn({ workerIds: ['a', 'b'] }, 'workers were lost')
  expect(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''))).toEqual([
    'info  listening url=http://127.0.0.1:8042 sessions=3',
    'error executor: a step failed: out of memory',
    'warn  workers were lost workerIds=["a","b"]'
  ])
})
