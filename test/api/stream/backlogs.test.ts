import { expect, test } from 'vitest'
import { Backlogs } from '../../../src/api/stream/backlogs.ts'
import type { LeadlineError } from '../../../src/errors.ts'
import { testApp } from '../../helpers/build-app.ts'
import { eventually } from '../../helpers/eventually.ts'
import { greyFrame, openStream } from '../../helpers/stream-client.ts'

function streams(backlogs: Backlogs) {
  const ended: [string, LeadlineError][] = []
  const open = (tenant: string, name: string) => backlogs.open(tenant, (error) => ended.push([name, error]))
  return { ended, open, names: () => ended.map(([name]) => name) }
}

test('of a key that leaves too much unread the stream ends that left most', () => {
  const { ended, open, names } = streams(new Backlogs(100))
  const [first, second, third] = ['first', 'second', 'third'].map((name) => open('key', name))
  first!.hold(30, true)
  second!.hold(60, true)
  expect(ended).toEqual([])
  third!.hold(11, true)
  expect(names()).toEqual(['second'])
  expect(ended[0]![1]).toMatchObject({ code: 'SLOW_CONSUMER' })
})

test('what other keys leave unread is nothing to it, and what was read counts no more', () => {
  const { ended, open } = streams(new Backlogs(100))
  const [first, other] = [open('key', 'first'), open('other', 'other')]
  first.hold(90, true)
  other.hold(90, true)
  first.hold(0, false)
  open('key', 'second').hold(90, true)
  expect(ended).toEqual([])
})

test('a stream whose one message is larger than all that may wait is served', () => {
  const { ended, open } = streams(new Backlogs(100))
  open('key', 'large').hold(1000, false)
  expect(ended).toEqual([])
})

test('streams that are over are forgotten', () => {
  const backlogs = new Backlogs(100)
  const { ended, open } = streams(backlogs)
  const [first, second] = [open('key', 'first'), open('key', 'second')]
  first.hold(90, true)
  first.close()
  first.close()
  second.hold(90, true)
  first.hold(90, true)
  expect(ended).toEqual([])
  second.close()
  expect(backlogs.size).toBe(0)
})

test('a client that does not read is told so once its key has too much unread, long before the half minute', async () => {
  // A map of 1000x1000 as f32 has 4 MB: a socket holds some, and of those that wait behind it no third may.
  const { app, listen } = await testApp({ config: { maxUnreadBytes: 8 * 2 ** 20 } })
  const url = await listen()
  const client = await openStream(url, { delivery: 'lossless', output: { format: 'f32', size: 'source' } })
  const side = 1000
  const [served] = app.websocketServer.clients
  client.ws.pause()
  for (let seq = 0; seq < 8; seq++) client.send(greyFrame(seq, side, side))
  await eventually(() => served?.readyState).toBe(served?.CLOSING)
  client.ws.resume()
  expect(await client.closed).toMatchObject({ code: 4413 })
})
