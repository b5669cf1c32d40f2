import fc from 'fast-check'
import pino from 'pino'
import { expect, test } from 'vitest'
import { mintKey } from '../../src/access/index.ts'
import type { KeyLimits } from '../../src/access/index.ts'
import { addressGroup } from '../../src/access/limits/address-group.ts'
import { alone } from '../../src/access/limits/flow.ts'
import { FrameLimits } from '../../src/access/limits/frame-limits.ts'
import { parseLimit } from '../../src/access/limits/key-limits.ts'
import { KeyMeter } from '../../src/access/limits/key-meter.ts'

const keyOf = (limits: KeyLimits) =>
  mintKey({ name: 'camera', scopes: ['stream'], limits, expiresAtMs: null }, 0).key

const frame = (bytes: number, megapixels = 1) => ({ bytes, megapixels: () => megapixels })

test('of frames that come at any times, no more are let in than the rate allows, and a second’s worth before', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 300 })
  fc.assert(
    fc.property(gaps, fc.double({ min: 0.5, max: 60, noNaN: true }), (waits, framesPerSecond) => {
      const meter = new KeyMeter(keyOf({ framesPerSecond }), 0)
      let nowMs = 0
      let numIn = 0
      for (const wait of waits) {
        nowMs += wait
        if (meter.enter(frame(1), nowMs) === null) numIn++
        expect(numIn).toBeLessThanOrEqual(framesPerSecond * (1 + nowMs / 1000) + 1)
      }
    })
  )
})

test('a camera that keeps to its rate loses no frame', () => {
  const meter = new KeyMeter(keyOf({ framesPerSecond: 30, megapixelsPerSecond: 30 * 2.0736 }), 0)
  for (let i = 0; i < 3000; i++) expect(meter.enter(frame(1, 2.0736), (i * 1000) / 30)).toBeNull()
})

test('where more comes to all gateways than may, each lets in its share of what comes', () => {
  const meter = new KeyMeter(keyOf({ framesPerSecond: 10 }), 0)
  const numIn: number[] = []
  for (let second = 0; second < 20; second++) {
    let count = 0
    for (let i = 0; i < 30; i++) if (meter.enter(frame(1), second * 1000 + i * 33) === null) count++
    numIn.push(count)
    meter.account((second + 1) * 1000)
    meter.hear({ framesPerSecond: 10, megapixelsPerSecond: 0, bytesInFlight: 0 })
  }
  // 30 of 40 come here.
  const later = numIn.slice(2).reduce((all, one) => all + one, 0)
  expect(later / 18).toBeCloseTo(7.5, 0)
  meter.hear({ framesPerSecond: 0, megapixelsPerSecond: 0, bytesInFlight: 0 })
  for (let i = 0; i < 10; i++) expect(meter.enter(frame(1), 21_000 + i * 101)).toBeNull()
})

test('bytes count until a frame has its outcome, and one frame may always come', () => {
  const meter = new KeyMeter(keyOf({ bytesInFlight: 100 }), 0)
  expect(meter.enter(frame(500), 0)).toBeNull()
  expect(meter.enter(frame(1), 0)).toMatchObject({
    code: 'LIMIT_REACHED',
    message: expect.stringContaining('100 bytes')
  })
  meter.leave(500)
  expect(meter.enter(frame(60), 0)).toBeNull()
  expect(meter.enter(frame(40), 0)).toBeNull()
  expect(meter.enter(frame(1), 0)).not.toBeNull()
  expect(meter.account(1000)).toEqual({ framesPerSecond: 5, megapixelsPerSecond: 0, bytesInFlight: 100 })
})

test('a frame that is larger than the megapixels of a second is let in, and paid off', () => {
  const meter = new KeyMeter(keyOf({ megapixelsPerSecond: 1 }), 0)
  expect(meter.enter(frame(1, 8), 0)).toBeNull()
  expect([1000, 5000, 7000].map((at) => meter.enter(frame(1, 8), at)?.code)).toEqual(
    Array(3).fill('LIMIT_REACHED')
  )
  expect(meter.enter(frame(1, 8), 7100)).toBeNull()
})

test('who leaves and comes back has still to pay off what came before', async () => {
  let nowMs = 0
  const limits = new FrameLimits({ exchange: alone, log: pino({ level: 'silent' }), now: () => nowMs })
  const key = keyOf({ megapixelsPerSecond: 1 })
  const sendOne = async () => {
    const flow = limits.open(key)!
    const refusal = flow.enter(0, frame(1, 8))
    flow.end()
    await limits.look()
    return refusal?.code ?? null
  }
  expect(await sendOne()).toBeNull()
  for (nowMs = 1000; nowMs <= 7000; nowMs += 1000) expect(await sendOne()).toBe('LIMIT_REACHED')
  nowMs = 7100
  expect(await sendOne()).toBeNull()
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64']
])('%s counts as %s', (address, group) => expect(addressGroup(address)).toBe(group))

test.each([
  '',
  'sessions',
  'sessions=',
  'sessions=0',
  'sessions=1.5',
  'sessions=-1',
  'speed=3',
  '__proto__=1'
])('%j is no limit', (text) => expect(parseLimit(text)).toBeNull())
test('a limit is a name and a number', () =>
  expect(parseLimit('framesPerSecond=0.5')).toEqual({ framesPerSecond: 0.5 }))
