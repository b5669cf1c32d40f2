import { expect, onTestFinished, test, vi } from 'vitest'
import { sessionTable } from '../../src/cli/session-table.ts'
import { testApp } from '../helpers/build-app.ts'
import { openStream } from '../helpers/stream-client.ts'
import { parse } from './parse.ts'

test('sessions are listed as JSON lines where the output is piped, and one is ended', async () => {
  const { listen } = await testApp()
  const url = await listen()
  const clients = [await openStream(url), await openStream(url)]
  const ids = clients.map(({ ready }) => ready.session).sort()
  const listed = await parse(['sessions', '--url', url])
  const lines = listed.stdout.trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(ids)
  const [first = ''] = ids
  expect(await parse(['sessions', 'end', first, '--url', url])).toMatchObject({ exitCode: 0, stdout: '' })
  const ended = clients.find(({ ready }) => ready.session === first)
  expect(await ended?.closed).toMatchObject({ code: 4510 })
})

test('the server of this machine is asked where none is named', async () => {
  const { listen } = await testApp()
  vi.stubEnv('LEADLINE_PORT', new URL(await listen()).port)
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(await parse(['sessions'])).toEqual({ exitCode: 0, stdout: '', stderr: 'There is no session.\n' })
  const unknown = await parse(['sessions', 'end', 's_other'])
  expect(unknown).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('There is no session s_other')
  })
})

test('a server is named by host and port alone, and so is one that is not there', async () => {
  const { listen } = await testApp()
  const { host } = new URL(await listen())
  expect(await parse(['sessions', '--url', host])).toMatchObject({ exitCode: 0 })
  for (const command of [['sessions', '--url'], ['bench']])
    expect(await parse([...command, 'localhost:9'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/(http|ws):\/\/localhost:9 cannot be reached/) as string
    })
})

test('a server that is not there is named', async () => {
  const { exitCode, stderr } = await parse(['sessions', '--url', 'http://127.0.0.1:1'])
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('http://127.0.0.1:1')
  })
})

test('on a terminal sessions are a table', () => {
  const times = { createdAt: '2026-01-01T00:00:00.000Z', touchedAt: '2026-01-01T02:59:59.000Z' }
  const one = { id: 's_a', state: 'attached', model: 'leadline-nano', mode: 'ovda', worker: 'embedded' }
  const row = { ...one, deviceBytes: 7.5 * 2 ** 20, epoch: 1, lastSeq: 1234, ...times }
  expect(sessionTable([row], Date.parse('2026-01-01T03:00:00.000Z'))).toEqual([
    'session  state     model          mode  worker    device   epoch  seq   age  idle',
    's_a      attached  leadline-nano  ovda  embedded  7.5 MiB  1      1234  3 h  1 s'
  ])
  expect(sessionTable([], 0)).toEqual([])
})
