import { expect, test } from 'vitest'
import type { UsageEntry } from '../../../src/metering/measures.ts'
import { SessionUsage } from '../../../src/sessions/worker/session-usage.ts'
import { quietLog } from '../../helpers/quiet-log.ts'

/** A session that made the depth of frame 3 and ended. */
function countedOf(isForGood: boolean): UsageEntry[] {
  const counted: UsageEntry[] = []
  const usage = new SessionUsage({
    ...{ sessionId: 's', workerId: 'w', log: quietLog() },
    usage: { count: async (entry) => counted.push(entry) > 0 }
  })
  usage.begin()
  usage.outcome({ type: 'result', seq: 3, message: new Uint8Array(10) } as never)
  usage.end(isForGood)
  usage.end(isForGood)
  return counted
}

test('of a session that is over for good the mark of its frames goes soon, and until then lets none be counted', () => {
  const [frame, , last, ...others] = countedOf(true)
  expect(frame).toMatchObject({
    amounts: { frames: 1, bytesOut: 10 },
    mark: { name: 'session:s', number: 3 }
  })
  expect(last).toMatchObject({ amounts: {}, mark: { name: 'session:s', number: Number.MAX_SAFE_INTEGER } })
  expect(last?.mark.keptMs).toBeLessThan(60_000)
  expect(others).toEqual([])
})

test('where another worker may go on with it the mark stays as long as a frame may be made again', () => {
  const marks = countedOf(false).filter(({ mark }) => mark.name === 'session:s')
  expect(marks).toMatchObject([{ amounts: { frames: 1 }, mark: { number: 3, keptMs: 3_600_000 } }])
})
