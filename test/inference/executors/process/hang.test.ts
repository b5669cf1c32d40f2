import { expect, test } from 'vitest'
import { suspect, whyHung, whyHungBlind, whyStill } from '../../../../src/inference/executors/process/hang.ts'
import type { Look, Suspicion } from '../../../../src/inference/executors/process/hang.ts'

const usual = { wallMs: 40, cpuMs: 60 }

/** When a process counts as hung that is looked at ten times a second, in milliseconds; null when never in a minute. */
function hungAtMs(process: (watchedMs: number) => Look, expected = usual): number | null {
  let suspicion: Suspicion | null = null
  for (let watchedMs = 300; watchedMs <= 60_000; watchedMs += 100) {
    if (watchedMs < expected.wallMs) continue
    suspicion = suspect(suspicion, process(watchedMs), watchedMs)
    if (whyHung(suspicion, expected, watchedMs) !== null) return watchedMs
  }
  return null
}

const slow = { wallMs: 4_000, cpuMs: 7_000 }

test.each<[string, number | null, (watchedMs: number) => Look, typeof usual]>([
  ['that has stopped is found after a second', 1_000, () => ({ cpuMs: 50, threads: 'asleep' }), usual],
  ['that spins is found by what it uses', 1_500, (ms) => ({ cpuMs: ms, threads: 'runnable' }), usual],
  ['that spins on four processors, sooner', 600, (ms) => ({ cpuMs: 4 * ms, threads: 'runnable' }), usual],
  ['that gets no processor is waited for', null, () => ({ cpuMs: 50, threads: 'runnable' }), usual],
  [
    'that gets a hundredth of a processor is waited for',
    null,
    (ms) => ({ cpuMs: Math.floor(ms / 1000) * 10, threads: 'runnable' }),
    usual
  ],
  [
    'caught between two bits of work is waited for',
    null,
    (ms) => ({
      cpuMs: Math.min(1_000, Math.floor(ms / 400) * 10),
      threads: ms < 40_000 ? 'asleep' : 'runnable'
    }),
    usual
  ],
  ['that waits for a disk gets longer', 5_300, () => ({ cpuMs: 50, threads: 'blocked' }), usual],
  [
    'whose steps take long is judged within a second past them',
    4_900,
    () => ({ cpuMs: 0, threads: 'asleep' }),
    slow
  ],
  [
    'that works a slow step twice over is waited for',
    null,
    (ms) => ({ cpuMs: Math.min(ms, 14_000), threads: 'runnable' }),
    slow
  ],
  [
    'that stops in the middle of its work is found half a second later',
    2_500,
    (ms) => ({ cpuMs: Math.min(ms, 2_000) / 10, threads: ms < 2_000 ? 'runnable' : 'asleep' }),
    usual
  ]
])('a process %s', (_, expectedMs, process, expected) => {
  const foundMs = hungAtMs(process, expected)
  if (expectedMs === null) expect(foundMs).toBeNull()
  else expect(foundMs).toBe(expectedMs)
})

test('a call that may take any time is left alone for as long as its process does anything', () => {
  const still = { stillMs: 120_000 }
  const building = (watchedMs: number): Look => ({ cpuMs: Math.floor(watchedMs / 60_000), threads: 'asleep' })
  let suspicion: Suspicion | null = null
  for (let watchedMs = 300; watchedMs <= 3_600_000; watchedMs += 10_000) {
    suspicion = suspect(suspicion, building(watchedMs), watchedMs)
    expect(whyStill(suspicion, still, watchedMs)).toBeNull()
  }
  const lastMs = suspicion!.activeAtMs
  expect(whyStill(suspicion!, still, lastMs + 119_900)).toBeNull()
  expect(whyStill(suspicion!, still, lastMs + 120_000)).toBe('did nothing for 120000 ms, asleep')
})

test('what cannot be looked into is judged by time alone, and late', () => {
  expect(whyHungBlind({ usual }, 9_900)).toBeNull()
  expect(whyHungBlind({ usual }, 10_000)).toMatch(/no answer for 10000 ms/)
  expect(whyHungBlind({ usual: slow }, 39_000)).toBeNull()
  expect(whyHungBlind({ usual: slow }, 40_000)).not.toBeNull()
  expect(whyHungBlind({ stillMs: 120_000 }, 1_199_000)).toBeNull()
  expect(whyHungBlind({ stillMs: 120_000 }, 1_200_000)).not.toBeNull()
})
