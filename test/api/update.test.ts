import { expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { fakeEngine, stepGate } from '../helpers/fake-engine.ts'
import { greyFrame, openStream } from '../helpers/stream-client.ts'

test('frames that wait keep the output that they were sent under, and an edge is refined where it was wished', async () => {
  const gate = stepGate()
  const { listen } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  const client = await openStream(await listen(), { delivery: 'lossless', output: { format: 'f32' } })
  gate.shut()
  client.send(greyFrame(0))
  client.send({ type: 'update', id: 'large', output: { format: 'u16', size: 'source', refine: true } })
  client.send(greyFrame(1))
  client.send({ type: 'update', output: {} })
  client.send(greyFrame(2))
  client.send({ type: 'ping' })
  expect(await client.next()).toEqual({ type: 'pong' })
  gate.open()
  expect((await client.expect('result')).header).toMatchObject({
    seq: 0,
    dtype: 'f32',
    width: 42,
    height: 28
  })
  expect(await client.next()).toEqual({ type: 'updated', id: 'large' })
  expect((await client.expect('result')).header).toMatchObject({
    seq: 1,
    dtype: 'u16',
    width: 56,
    height: 42
  })
  expect(await client.next()).toEqual({ type: 'updated', id: '' })
  expect((await client.expect('result')).header).toMatchObject({
    seq: 2,
    dtype: 'u16',
    width: 42,
    height: 28
  })
})

test('a close waits for the answer to an update', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), { delivery: 'lossless' })
  client.send({ type: 'update', output: { format: 'f16' } })
  client.send({ type: 'close' })
  expect((await client.rest()).map(({ type }) => type)).toEqual(['updated', 'summary'])
})

test.each([
  [{ output: { format: 'u128' } }, '/output/format'],
  [{ output: { refine: true } }, 'In /output, refine is true'],
  [{}, 'output'],
  [{ output: {}, model: 'tiny' }, '/model']
])('an update to %j ends the stream with what is wrong', async (wish, where) => {
  const { listen } = await testApp()
  const client = await openStream(await listen())
  client.send({ type: 'update', ...wish })
  const detail = expect.stringContaining(where)
  expect(await client.expect('error')).toMatchObject({ code: 'CONFIG_INVALID', detail })
  expect(await client.closed).toEqual({ code: 4522, reason: 'CONFIG_INVALID' })
})
