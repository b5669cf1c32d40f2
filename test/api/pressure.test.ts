import { expect, onTestFinished, test } from 'vitest'
import { Pressure } from '../../src/api/plugins/pressure.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { greyFrame, openStream } from '../helpers/stream-client.ts'

const calm = { delayMs: 0, heapShare: 0.5 }

test('one long step refuses nobody, a second that follows does, and a calm look ends it', () => {
  const pressure = new Pressure(100)
  const seen = [
    { ...calm, delayMs: 200 },
    calm,
    { ...calm, delayMs: 200 },
    { ...calm, heapShare: 0.95 },
    calm
  ].map((load) => {
    pressure.look(load)
    return pressure.isHigh
  })
  expect(seen).toEqual([false, false, false, true, false])
})

test('a process with more to do than it can refuses what is new, and serves the streams that run', async () => {
  const { app, listen } = await testApp({ config: { maxLoopDelayMs: 20 } })
  const stream = await openStream(await listen(), { delivery: 'lossless' })
  let isBusy = true
  onTestFinished(() => void (isBusy = false))
  const work = () => {
    const until = performance.now() + 100
    while (performance.now() < until);
    if (isBusy) setImmediate(work)
  }
  work()
  const ask = () => app.inject('/v1/models')
  await eventually(async () => (await ask()).statusCode).toBe(503)
  const refused = await ask()
  expect(refused.json()).toMatchObject({ code: 'OVERLOADED', temporary: true })
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  for (let seq = 0; seq < 3; seq++) {
    stream.send(greyFrame(seq))
    expect((await stream.expect('result')).header.seq).toBe(seq)
  }
  expect((await app.inject('/livez')).statusCode).toBe(200)
  const readyz = await app.inject('/readyz')
  expect(readyz.json()).toMatchObject({ status: 503, code: 'OVERLOADED', missing: ['pressure'] })
  expect((await app.inject('/metrics')).statusCode).toBe(200)
  isBusy = false
  await eventually(async () => (await ask()).statusCode).toBe(200)
  expect((await app.inject('/readyz')).statusCode).toBe(200)
})
