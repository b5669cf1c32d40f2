import { expect, test } from 'vitest'
import type { Outcome } from '../../src/client/index.ts'
import { connectionLine } from '../../src/cli/connection-line.ts'
import { percentile, StreamReport } from '../../src/cli/stream-report.ts'
import { LeadlineError } from '../../src/errors.ts'
import { decodeMessage, encodeMessage } from '../../src/wire/frame.ts'
import { depthValues } from '../../src/client/index.ts'

function result(seq: number, latencyMs: number, values: number[], isBlank = false): Outcome {
  const message = encodeMessage(
    {
      ...{
        kind: 2,
        flags: 0,
        seq,
        timestampUs: 0,
        epoch: 0,
        codec: 'raw',
        dtype: 'f32',
        width: values.length,
        height: 1
      },
      ...{
        scale: 1,
        offset: 0,
        rangeMin: 0,
        rangeMax: 1,
        quantity: 'relative-inverse-depth',
        queueUs: 0,
        computeUs: 0
      }
    },
    new Uint8Array(Float32Array.from(values).buffer)
  )
  const { header, payload } = decodeMessage(message)
  const map = { header, payload, isBlank, values: () => depthValues({ header, payload }) }
  return { type: 'result', seq, latencyMs, ...map }
}

function report(outcomes: Outcome[]): ReturnType<StreamReport['summary']> {
  const made = new StreamReport(1000)
  outcomes.forEach((outcome, i) => made.add(outcome, 1000 + 500 * (i + 1)))
  return made.summary()
}

test('a run is counted and timed', () => {
  const error = new LeadlineError('FRAME_DECODE_FAILED', 'no jpeg')
  const summary = report([
    result(0, 30, [1]),
    { type: 'drop', seq: 1, latencyMs: 1, reason: 'superseded' },
    { type: 'error', seq: 2, latencyMs: 1, error },
    result(3, 10, [2], true)
  ])
  expect(summary).toMatchObject({ frames: 2, blank: 1, fps: 1, latency_ms: { p50: 10, p95: 30 } })
  expect(summary).toMatchObject({ drops: 1, errors: 1 })
})

test('reconnects are counted, and the worst that was left of the past is kept', () => {
  const made = new StreamReport(0)
  expect(made.summary()).toMatchObject({ reconnects: 0, continuity: 'exact' })
  const again = new StreamReport(0)
  const resumed = { type: 'resumed', epoch: 1, attempts: 1, ms: 5, resent: 0, replayed: 0 } as const
  again.connection({ type: 'lost', error: new LeadlineError('CONNECTION_LOST', 'cut'), graceMs: 1000 })
  again.connection({ ...resumed, continuity: 'exact' })
  again.connection({ type: 'recovered', epoch: 2, seq: 7, continuity: 'rebuilt' })
  again.connection({ ...resumed, continuity: 'exact' })
  expect(again.summary()).toMatchObject({ reconnects: 2, continuity: 'rebuilt' })
})

test('what happens to a connection is one line each', () => {
  const error = new LeadlineError('CONNECTION_LOST', 'closed with code 1006')
  expect(connectionLine({ type: 'lost', error, graceMs: 60_000 })).toBe(
    'connection lost (closed with code 1006); trying again for 60 s'
  )
  const counts = { epoch: 1, resent: 3, replayed: 0 }
  expect(connectionLine({ type: 'resumed', continuity: 'exact', attempts: 2, ms: 432, ...counts })).toBe(
    'connected again after 0.4 s, at attempt 2: the session goes on as if nothing had happened; 3 frames were sent again'
  )
  expect(connectionLine({ type: 'failed', error })).toBeNull()
  const recovered = { type: 'recovered', epoch: 2, seq: 41, continuity: 'rebuilt' } as const
  const lost = 'the server lost what it knew of the video: from frame 41 on the session goes on'
  expect(connectionLine(recovered)?.startsWith(lost)).toBe(true)
  const alignment = { scale: 1.02, offset: -0.01, residual: 0.004 }
  expect(connectionLine({ ...recovered, alignment })).toBe(
    `${connectionLine(recovered)}; depth differs from that before by 0.4 % of its extent`
  )
})

test('the digest is that of the values, whatever the timing, and changes with any of them', () => {
  const digest = (outcomes: Outcome[]) => report(outcomes).digest
  expect(digest([result(0, 1, [1, 2]), result(1, 1, [3, 4])])).toBe(
    digest([result(0, 9, [1, 2]), result(1, 9, [3, 4])])
  )
  expect(digest([result(0, 1, [1, 2]), result(1, 1, [3, 4])])).not.toBe(
    digest([result(0, 1, [3, 4]), result(1, 1, [1, 2])])
  )
})

test.each([
  [[], 0.5, 0],
  [[7], 0.95, 7],
  [[3, 1, 2], 0.5, 2],
  [[4, 3, 2, 1], 0.5, 2],
  [Array.from({ length: 100 }, (_, i) => i + 1), 0.95, 95]
])('of %j the share %d does not exceed %d', (values, share, expected) => {
  expect(percentile(values, share)).toBe(expected)
})
