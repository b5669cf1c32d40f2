import { expect, onTestFinished, test } from 'vitest'
import { setMaxListeners } from 'node:events'
import { attacks, isListed, never } from '../../bench/hostile/attacks.ts'
import { HonestStream } from '../../bench/hostile/honest.ts'
import { noisyJpeg } from '../../bench/noisy-jpeg.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { addKey } from '../helpers/keys.ts'

/** Whose deadline is longer than a test should take: test/api/stream/backlogs.test.ts has it. */
const late = 'results that nobody reads'

test('beside one of each attack every honest frame is answered, and what the server ends it ends by name', async () => {
  const { app, keys, listen, logged } = await testApp({
    ...{ config: { auth: 'keys', configTimeoutMs: 5000, uploadTimeoutMs: 5000 }, headersTimeoutMs: 5000 }
  })
  const url = await listen()
  const [camera, stranger] = [
    await addKey(keys),
    await addKey(keys, { limits: { sessions: 8, framesPerSecond: 20 } })
  ]
  const jpeg = await noisyJpeg({ width: 160, height: 112 })
  const open = () => HonestStream.open(url, camera.value, jpeg)
  const cameras = await Promise.all([open(), open(), open(), open()])
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  onTestFinished(() => stop.abort())
  const target = { url, key: stranger.value, localAddress: '127.0.0.1' }
  const fought = Object.entries(attacks).map(async ([name, attack]) => {
    const end = await attack.begin(target, stop.signal)
    return { name, end, isListed: isListed(attack, end) }
  })
  const ending = fought.filter((_, i) => {
    const [name, { ends }] = Object.entries(attacks)[i]!
    return ends !== never && name !== late
  })
  for (let round = 0; round < 30; round++) {
    for (const stream of cameras) stream.send()
    for (const stream of cameras) await eventually(() => stream.numWaiting).toBe(0)
  }
  for (const { end, name } of await Promise.all(ending)) expect(end, name).not.toBe('stopped')
  stop.abort()
  const ends = await Promise.all(fought)
  expect(ends.filter(({ isListed }) => !isListed)).toEqual([])
  for (const stream of cameras) {
    expect(stream.faults).toEqual([])
    expect(stream.numSent).toBe(30)
    stream.close()
  }
  expect(logged.filter(({ level }) => Number(level) >= 50)).toEqual([])
  // Nothing of anybody is left.
  await eventually(() => app.websocketServer.clients.size).toBe(0)
})
