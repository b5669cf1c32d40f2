import type { ErrorCode } from '../../src/errors.ts'

/** A text message and what becomes of it: read, passed over since its type is not known, or refused. */
export type ControlVector = { name: string; text: string } & (
  { outcome: 'read' } | { outcome: 'ignored' } | { outcome: 'refused'; code: ErrorCode }
)

const position = { session: 's_1', token: 't1', epoch: 0, seq: -1 }
const ready = {
  ...{ type: 'ready', session: 's_1', resumeToken: 't1', epoch: 1, model: 'leadline-nano' },
  ...{ modelDigest: '9f2c', license: 'Apache-2.0', quantity: 'relative-inverse-depth', mode: 'ovda' },
  cacheSize: 2,
  limits: {
    ...{ maxInFlight: 4, maxFrameBytes: 1000, maxPixels: 1000, idleTimeoutMs: 60_000, graceMs: 60_000 }
  }
}
const resumed = { continuity: 'exact', digest: '5b1f', seq: 42, after: 44 }
const failure = {
  ...{
    type: 'error',
    code: 'NO_CAPACITY',
    title: 'Every worker is full',
    detail: 'Try later',
    temporary: true
  }
}

export const clientVectors: ControlVector[] = [
  read('config-bare', { type: 'config' }),
  read('config-first', { type: 'config', delivery: 'lossless', credit: 8, resumable: true }),
  read('config-adaptive', { type: 'config', delivery: 'adaptive' }),
  read('config-output', { type: 'config', output: { format: 'f32' }, credit: 2 }),
  read('config-resume', { type: 'config', resume: position, credit: 8 }),
  read('config-context', { type: 'config', context: { bytes: 600_000 }, credit: 8 }),
  read('credit', { type: 'credit', results: 1 }),
  read('ack', { type: 'ack', seq: 7 }),
  read('flush', { type: 'flush', id: '0' }),
  read('flush-without-id', { type: 'flush' }),
  read('reset', { type: 'reset' }),
  read('update', { type: 'update', id: '1', output: { format: 'jpeg' } }),
  read('update-to-defaults', { type: 'update', output: {} }),
  read('replayed', { type: 'replayed' }),
  read('checkpoint', { type: 'checkpoint', id: 'a' }),
  read('checkpoint-without-id', { type: 'checkpoint' }),
  read('ping', { type: 'ping', id: '7' }),
  read('detach', { type: 'detach' }),
  read('close', { type: 'close' }),
  refused('not-json', 'hello'),
  refused('not-an-object', '[]'),
  refused('type-missing', '{}'),
  refused('type-unknown', '{"type":"dance"}'),
  refused('credit-none', '{"type":"credit","results":0}'),
  refused('credit-text', '{"type":"credit","results":"2"}'),
  refused('ack-before-all', '{"type":"ack","seq":-1}'),
  refused('flush-id-long', JSON.stringify({ type: 'flush', id: 'x'.repeat(65) })),
  refused('update-without-output', '{"type":"update"}', 'CONFIG_INVALID'),
  refused('update-of-model', '{"type":"update","output":{},"model":"m"}', 'CONFIG_INVALID'),
  refused('update-format', '{"type":"update","output":{"format":"u128"}}', 'CONFIG_INVALID'),
  refused('update-refine', '{"type":"update","output":{"refine":true}}', 'CONFIG_INVALID'),
  refused('config-member-unknown', '{"type":"config","colour":"red"}', 'CONFIG_INVALID'),
  refused('config-delivery', '{"type":"config","delivery":"someday"}', 'CONFIG_INVALID'),
  refused('config-refine', '{"type":"config","output":{"refine":true}}', 'CONFIG_INVALID'),
  refused('config-context-empty', '{"type":"config","context":{"bytes":0}}', 'CONFIG_INVALID'),
  refused('config-context-bare', '{"type":"config","context":{}}', 'CONFIG_INVALID'),
  refused(
    'config-context-beside-resume',
    JSON.stringify({ type: 'config', context: { bytes: 5 }, resume: position }),
    'CONFIG_INVALID'
  ),
  refused('checkpoint-id-long', JSON.stringify({ type: 'checkpoint', id: 'x'.repeat(65) })),
  refused('config-cache-size', '{"type":"config","cacheSize":99}', 'CONFIG_INVALID'),
  refused(
    'config-wish-beside-resume',
    JSON.stringify({ type: 'config', mode: 'ovda', resume: position }),
    'CONFIG_INVALID'
  )
]

export const serverVectors: ControlVector[] = [
  read('ready', ready),
  read('ready-metres', { ...ready, quantity: 'metric-depth' }),
  read('ready-resumed', { ...ready, resumed }),
  read('ready-resumed-digest-unknown', { ...ready, resumed: { ...resumed, digest: null } }),
  read('ready-replay', {
    ...ready,
    resumed: { ...resumed, continuity: 'rebuilt', replay: { frames: 6, bytes: 1000 } }
  }),
  read('ready-continued', { ...ready, continued: { continuity: 'exact', digest: '5b1f', seq: 41 } }),
  read('ready-continued-rebuilt', { ...ready, continued: { continuity: 'rebuilt', digest: null, seq: -1 } }),
  read('ready-member-unknown', { ...ready, weather: 'fine' }),
  read('drop', { type: 'drop', seq: 17, reason: 'superseded' }),
  read('drop-seen', { type: 'drop', seq: 17, reason: 'superseded', seen: true }),
  read('drop-unacknowledged', { type: 'drop', seq: 17, reason: 'unacknowledged' }),
  read('error', { ...failure, retryAfterMs: 2000 }),
  read('error-of-a-frame', { ...failure, code: 'FRAME_EMPTY', temporary: false, seq: 3 }),
  read('error-code-unknown', { ...failure, code: 'TOO_RAINY' }),
  read('flushed', { type: 'flushed', id: '0', epoch: 1, seq: 41, digest: '5b1f' }),
  read('advice', { type: 'advice', fps: 12.5, unsettled: 2 }),
  read('advice-of-no-limit', { type: 'advice', fps: null, unsettled: 1 }),
  read('updated', { type: 'updated', id: '1' }),
  read('flushed-bare', { type: 'flushed', id: '' }),
  read('reset-client', { type: 'reset', epoch: 2, seq: null, reason: 'client' }),
  read('reset-cut', { type: 'reset', epoch: 2, seq: 9, reason: 'sceneCut' }),
  read('recovered', { type: 'recovered', epoch: 2, seq: 41, continuity: 'rebuilt' }),
  read('recovered-aligned', {
    ...{ type: 'recovered', epoch: 2, seq: 41, continuity: 'rebuilt' },
    alignment: { scale: 1.02, offset: -0.01, residual: 0.004 }
  }),
  read('checkpoint', { type: 'checkpoint', id: 'a', seq: 41, bytes: 600_000 }),
  read('checkpoint-failed', {
    ...{ type: 'checkpoint', id: 'a' },
    failure: { code: 'CONTEXT_TOO_LARGE', detail: 'It has 9 bytes', temporary: false }
  }),
  read('goAway', { type: 'goAway', timeLeftMs: 10_000 }),
  read('detached', { type: 'detached', graceMs: 60_000 }),
  read('notice', { type: 'notice', reason: 'idle', bytes: 6_606_028, deadlineMs: 5000 }),
  read('parked', { type: 'parked', reason: 'idle', bytes: 6_606_028 }),
  read('pong', { type: 'pong', id: '7' }),
  read('pong-without-id', { type: 'pong' }),
  read('summary', { type: 'summary', frames: 300, results: 291, drops: 9, errors: 0, seconds: 10.02 }),
  { name: 'type-unknown', text: '{"type":"weather","sky":"blue"}', outcome: 'ignored' },
  refused('not-json', 'hello'),
  refused('not-json-nan', '{"type":"goAway","timeLeftMs":NaN}'),
  refused('not-an-object', '[]'),
  refused('null', 'null'),
  refused('type-missing', '{"seq":1}'),
  refused('type-number', '{"type":1}'),
  refused('ready-without-limits', JSON.stringify({ ...ready, limits: undefined })),
  refused('ready-limit-text', JSON.stringify({ ...ready, limits: { ...ready.limits, graceMs: '1' } })),
  refused('ready-quantity', JSON.stringify({ ...ready, quantity: 'feet' })),
  refused('ready-continuity', JSON.stringify({ ...ready, resumed: { ...resumed, continuity: 'nearly' } })),
  refused('checkpoint-bytes-text', '{"type":"checkpoint","id":"a","seq":41,"bytes":"9"}'),
  refused('checkpoint-failure-text', '{"type":"checkpoint","id":"a","failure":"no"}'),
  refused('drop-reason', '{"type":"drop","seq":1,"reason":"bored"}'),
  refused('drop-without-seq', '{"type":"drop","reason":"closed"}'),
  refused('drop-fraction', '{"type":"drop","seq":1.5,"reason":"closed"}'),
  refused('advice-fps-text', '{"type":"advice","fps":"9","unsettled":1}'),
  refused('updated-without-id', '{"type":"updated"}'),
  refused('flushed-id-long', JSON.stringify({ type: 'flushed', id: 'x'.repeat(65) })),
  refused('error-temporary-text', JSON.stringify({ ...failure, temporary: 'yes' })),
  refused('goAway-boolean', '{"type":"goAway","timeLeftMs":true}'),
  refused('summary-seconds-null', JSON.stringify(summaryWithout())),
  refused('reset-reason', '{"type":"reset","epoch":2,"seq":null,"reason":"mood"}')
]

function summaryWithout() {
  return { type: 'summary', frames: 1, results: 1, drops: 0, errors: 0, seconds: null }
}

function read(name: string, message: object): ControlVector {
  return { name, text: JSON.stringify(message), outcome: 'read' }
}

function refused(name: string, text: string, code: ErrorCode = 'MESSAGE_MALFORMED'): ControlVector {
  return { name, text, outcome: 'refused', code }
}
