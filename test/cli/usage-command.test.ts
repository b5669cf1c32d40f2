import { expect, test } from 'vitest'
import { usageCsv, usageTable } from '../../src/cli/usage-table.ts'
import { testApp } from '../helpers/build-app.ts'
import { frameMessage, openStream } from '../helpers/stream-client.ts'
import { parse } from './parse.ts'

const row = {
  ...{ day: '2026-01-31', key: '0123456789abcdef', name: '=1, "two"', frames: 12, megapixels: 3.25 },
  ...{ deviceMs: 1234, sessionSeconds: 60, clipFrames: 0, bytesIn: 2 ** 20, bytesOut: 2 ** 21 }
}

test('usage is JSON lines where it is piped, and CSV where that is wished', async () => {
  const { listen } = await testApp()
  const url = await listen()
  expect(await parse(['usage', '--url', url])).toEqual({
    ...{ exitCode: 0, stdout: '', stderr: 'Nothing was used on these days.\n' }
  })
  const client = await openStream(url)
  client.send(frameMessage(0, new Uint8Array(3 * 56 * 42), { width: 56, height: 42 }))
  await client.expect('result')
  const listed = await parse(['usage', '--url', url])
  expect(JSON.parse(listed.stdout)).toMatchObject({ key: null, frames: 1 })
  const csv = await parse(['usage', '--csv', '--of', 'anonymous', '--url', url])
  expect(csv.stdout).toMatch(/^day,key,name,frames,.*\n\d{4}-\d\d-\d\d,,,1,/)
  const wrong = await parse(['usage', '--from', 'yesterday', '--url', url])
  expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('from') })
})

test('on a terminal usage is a table with a line of sums', () => {
  const other = { ...row, day: '2026-02-01', key: null, name: null }
  expect(usageTable([row, other])).toEqual([
    'day         key        frames  megapixels  device  sessions  clip frames  in       out',
    '2026-01-31  =1, "two"  12      3.3         1.2 s   60.0 s    0            1.0 MiB  2.0 MiB',
    '2026-02-01  -          12      3.3         1.2 s   60.0 s    0            1.0 MiB  2.0 MiB',
    'all                    24      6.5         2.5 s   120.0 s   0            2.0 MiB  4.0 MiB'
  ])
  expect(usageTable([row])).toHaveLength(2)
  expect(usageTable([])).toEqual([])
})

test('in CSV no name ends a field or is a formula', () => {
  expect(usageCsv([row])[1]).toBe(
    `2026-01-31,0123456789abcdef,"'=1, ""two""",12,3.25,1234,60,0,1048576,2097152`
  )
})
