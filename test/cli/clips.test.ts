import { expect, test } from 'vitest'
import { clipTable } from '../../src/cli/clip-table.ts'
import { testApp } from '../helpers/build-app.ts'
import { mp4 } from '../helpers/clip-files.ts'
import { accepted, ended, state } from '../helpers/clip-requests.ts'
import { fakeEngine, stepGate } from '../helpers/fake-engine.ts'
import { parse } from './parse.ts'

test('clips are listed as JSON lines where the output is piped, one is cancelled, and one deleted', async () => {
  const gate = stepGate()
  const { app, listen } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  const url = await listen()
  const video = await mp4({ frames: 2, width: 84, height: 56 })
  const done = await accepted(app, video)
  await ended(app, done.id)
  gate.shut()
  const stuck = await accepted(app, video)
  const ids = async (...args: string[]) =>
    (await parse(['clips', ...args, '--url', url])).stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id)
  expect(await ids()).toEqual([stuck.id, done.id])
  expect(await ids('list', '--state', 'done')).toEqual([done.id])
  const cancelling = parse(['clips', 'cancel', stuck.id, '--url', url])
  gate.open()
  expect(await cancelling).toMatchObject({ exitCode: 0, stdout: '' })
  expect((await state(app, stuck.id)).state).toBe('cancelled')
  for (const { id } of [done, stuck])
    expect(await parse(['clips', 'delete', id, '--url', url])).toMatchObject({ exitCode: 0 })
  expect(await parse(['clips', '--url', url])).toMatchObject({ stdout: '', stderr: 'There is no clip.\n' })
  expect(await parse(['clips', 'cancel', done.id, '--url', url])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`There is no clip ${done.id}`)
  })
})

test('on a terminal clips are a table', () => {
  const clip = {
    ...{ id: 'a', state: 'failed', model: 'leadline-nano', mode: 'ovda', video: { width: 84, height: 56 } },
    ...{ progress: { frames: 3, frameCount: null }, failure: { code: 'CLIP_INVALID' } },
    createdAt: '2026-01-01T00:00:00.000Z'
  }
  expect(clipTable([clip], Date.parse('2026-01-01T03:00:00.000Z'))).toEqual([
    'clip  state   model          mode  size   frames  age  failure',
    'a     failed  leadline-nano  ovda  84x56  3/?     3 h  CLIP_INVALID'
  ])
})
