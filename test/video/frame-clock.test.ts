import { expect, test } from 'vitest'
import { FrameClock } from '../../src/video/frame-clock.ts'

const hour = 3_600_000_000

test.each([
  [
    'are kept as they are',
    [1_480_000, 1_520_000, 1_525_000, 61_000_000],
    [1_480_000, 1_520_000, 1_525_000, 61_000_000]
  ],
  ['begin at 0 when the file begins below it', [-80_000, -40_000, 0, 50_000], [0, 40_000, 80_000, 130_000]],
  ['follow each other at the usual rate where the file is silent', [null, null, null], [0, 40_000, 80_000]],
  ['go on by the file after it was silent', [0, null, 90_000], [0, 40_000, 90_000]],
  [
    'are told apart by a little when they are the same',
    [0, 33_000, 33_000, 35_000],
    [0, 33_000, 33_100, 35_000]
  ],
  [
    'come back in step after one that is out of place',
    [0, 40_000, 20_000, 120_000],
    [0, 40_000, 40_100, 120_000]
  ],
  [
    'go on where a recording stopped that starts again',
    [900_000, 940_000, 0, 40_000, 80_000],
    [900_000, 940_000, 940_100, 980_100, 1_020_100]
  ],
  [
    'never pause for longer than an hour',
    [0, 3 * hour, 3 * hour + 50_000, 3 * hour + 90_000],
    [0, 40_000, 90_000, 130_000]
  ]
])('times %s', (_what, stamps: (number | null)[], times) => {
  const clock = new FrameClock(40_000)
  expect(stamps.map((stamp) => clock.next(stamp))).toEqual(times)
})
