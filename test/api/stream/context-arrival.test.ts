import { expect, test } from 'vitest'
import { ContextRoom } from '../../../src/api/stream/context-arrival.ts'
import { contextParts } from '../../../src/wire/context-parts.ts'
import { testApp } from '../../helpers/build-app.ts'
import { HashEngine } from '../../helpers/hash-engine.ts'
import { connect } from '../../helpers/stream-client.ts'

const maxContextBytes = 2 ** 20
const announced = { type: 'config', context: { bytes: maxContextBytes } }

test('a server has room for four of the greatest, and for the next once one of them is gone', () => {
  const room = new ContextRoom(100)
  const frees = [1, 2, 3, 4].map(() => room.reserve(100))
  expect(() => room.reserve(1)).toThrow(expect.objectContaining({ code: 'NO_CAPACITY' }))
  frees[0]?.()
  frees[0]?.()
  room.reserve(100)
  expect(() => room.reserve(1)).toThrow(expect.objectContaining({ code: 'NO_CAPACITY' }))
  expect(() => room.reserve(101)).toThrow(expect.objectContaining({ code: 'CONTEXT_TOO_LARGE' }))
})

test('a client that goes away in the middle, or is wrong there, gives its room back', async () => {
  const { listen } = await testApp({
    engine: new HashEngine(),
    config: { defaultModel: 'hash', maxContextBytes }
  })
  const url = await listen()
  const [part = new Uint8Array()] = contextParts(new Uint8Array(maxContextBytes))
  for (let i = 0; i < 12; i++) {
    const client = await connect(url)
    client.send(announced)
    client.send(part)
    if (i % 3 === 0) client.ws.terminate()
    else if (i % 3 === 1) client.ws.close(1000)
    else client.send({ type: 'ping' })
    await client.closed
  }
  const client = await connect(url)
  client.send(announced)
  for (const each of contextParts(new Uint8Array(maxContextBytes))) client.send(each)
  expect(await client.expect('error')).toMatchObject({ code: 'CONTEXT_INVALID' })
})

test('one that does not come whole in time is not waited for', async () => {
  const { listen } = await testApp({
    engine: new HashEngine(),
    config: { defaultModel: 'hash', uploadTimeoutMs: 200 }
  })
  const client = await connect(await listen())
  client.send(announced)
  expect(await client.expect('error')).toMatchObject({ code: 'CONFIG_TIMEOUT', temporary: true })
  expect((await client.closed).code).toBe(4408)
})
