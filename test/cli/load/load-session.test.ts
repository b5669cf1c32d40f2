import { expect, test } from 'vitest'
import { runLoad } from '../../../src/cli/load/load-session.ts'
import { LoadReport } from '../../../src/cli/load/load-report.ts'
import type { Outcome } from '../../../src/client/index.ts'
import { LeadlineError } from '../../../src/errors.ts'

/** A server that takes one frame at a time, each for as long as `takesMs` says, on a clock that only it moves. */
function slowServer(frames: number, takesMs: (frame: number) => number) {
  let sendingMs = 0
  let readingMs = 0
  const sentAtMs: number[] = []
  const arrived: { seq: number; atMs: number }[] = []
  const clock = {
    now: () => readingMs,
    until: async (atMs: number) => void (sendingMs = Math.max(sendingMs, atMs))
  }
  const stream = {
    send: async () => {
      const seq = sentAtMs.push(sendingMs) - 1
      sendingMs += takesMs(seq)
      arrived.push({ seq, atMs: sendingMs })
      return seq
    },
    close: async () => ({}) as never,
    outcomes: (async function* () {
      for (let count = 0; count < frames; count++) {
        while (arrived.length === 0) await new Promise((resolve) => setImmediate(resolve))
        const { seq, atMs } = arrived.shift()!
        readingMs = atMs
        yield { type: 'drop', seq, reason: 'superseded', latencyMs: takesMs(seq) } as const
      }
    })()
  }
  return { clock, stream, sentAtMs }
}

test('a frame that could not be sent when it was due has waited since then', async () => {
  // Ten a second; the third takes 500 ms, and those behind it 10 ms each.
  const { clock, stream, sentAtMs } = slowServer(10, (frame) => (frame === 2 ? 500 : 10))
  const latenciesMs: number[] = []
  const plan = {
    startMs: 1000,
    framesPerSecond: 10,
    frames: 10,
    pictureOf: () => ({ data: new Uint8Array(), codec: 'jpeg' as const })
  }
  await runLoad(stream, plan, {
    clock,
    onOutcome: ({ latencyMs }) => latenciesMs.push(Math.round(latencyMs))
  })
  expect(sentAtMs.map(Math.round).slice(0, 5)).toEqual([1000, 1100, 1200, 1700, 1710])
  expect(latenciesMs.slice(0, 5)).toEqual([10, 10, 500, 410, 320])
})

test('the figures tell depth maps, drops by reason, errors by code and what sessions were told of their past', () => {
  const report = new LoadReport()
  const result = (latencyMs: number) => ({
    outcome: { type: 'result', seq: 0, latencyMs } as Outcome,
    latencyMs
  })
  for (let i = 1; i <= 1000; i++) report.outcome(result(i), 2000 + i)
  report.outcome(
    { outcome: { type: 'drop', seq: 1, latencyMs: 1, reason: 'superseded' }, latencyMs: 1 },
    9999
  )
  const error = new LeadlineError('FRAME_DECODE_FAILED', 'no picture')
  report.outcome({ outcome: { type: 'error', seq: 2, latencyMs: 1, error }, latencyMs: 1 }, 9999)
  report.connection({
    type: 'resumed',
    continuity: 'exact',
    epoch: 0,
    attempts: 1,
    ms: 5,
    resent: 0,
    replayed: 0
  })
  report.connection({ type: 'recovered', continuity: 'rebuilt', epoch: 1, seq: 3 })
  report.failed({ code: 'NO_CAPACITY' })
  expect(report.summary({ sessions: 2, framesPerSecond: 30, seconds: 1 }, 2000)).toEqual({
    ...{ sessions: 2, framesPerSecond: 30, seconds: 1, results: 1000, achievedFps: 1000 },
    ...{ drops: { superseded: 1 }, errors: { FRAME_DECODE_FAILED: 1 }, failed: { NO_CAPACITY: 1 } },
    latencyMs: { p50: 500, p90: 900, p95: 950, p99: 990, p999: 999, max: 1000 },
    ...{ reconnects: 1, continuity: { exact: 1, rebuilt: 1, new: 0 } }
  })
})
