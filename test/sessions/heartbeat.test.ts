import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Heartbeat } from '../../src/sessions/heartbeat.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

interface Beats {
  heartbeat: Heartbeat
  /** What the next beats do. */
  answer: { with: () => Promise<void> }
  told: string[]
}

async function start(): Promise<Beats> {
  const answer = { with: () => Promise.resolve() }
  const told: string[] = []
  const heartbeat = new Heartbeat({
    ...{ everyMs: 100, patienceBeats: 3, beat: () => answer.with() },
    onSilence: () => told.push('silence'),
    onBack: () => told.push('back')
  })
  await heartbeat.start()
  onTestFinished(() => void heartbeat.stop())
  return { heartbeat, answer, told }
}

const failing = () => Promise.reject(new Error('away'))

test('as many beats as its patience may fail; then it is told once, and once that it is back', async () => {
  const { heartbeat, answer, told } = await start()
  answer.with = failing
  await vi.advanceTimersByTimeAsync(399)
  expect(told).toEqual([])
  await vi.advanceTimersByTimeAsync(1000)
  expect(told).toEqual(['silence'])
  expect(heartbeat.isSilent).toBe(true)
  answer.with = () => Promise.resolve()
  await vi.advanceTimersByTimeAsync(100)
  expect(told).toEqual(['silence', 'back'])
  expect(heartbeat.isSilent).toBe(false)
})

test('a beat that never ends counts as failing, and no second one is begun', async () => {
  const { answer, told } = await start()
  let begun = 0
  answer.with = () => {
    begun += 1
    return new Promise(() => {})
  }
  await vi.advanceTimersByTimeAsync(1000)
  expect(told).toEqual(['silence'])
  expect(begun).toBe(1)
  vi.useRealTimers()
})

test('one success forgets every failure before it', async () => {
  const { answer, told } = await start()
  for (let round = 0; round < 5; round++) {
    answer.with = failing
    await vi.advanceTimersByTimeAsync(200)
    answer.with = () => Promise.resolve()
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(told).not.toContain('silence')
})

test('a beat that is asked for begins after the one under way', async () => {
  const { heartbeat, answer } = await start()
  const order: string[] = []
  let end = () => {}
  answer.with = () => new Promise((resolve) => (end = resolve))
  await vi.advanceTimersByTimeAsync(100)
  const asked = heartbeat.now().then(() => order.push('asked'))
  answer.with = async () => void order.push('beat')
  end()
  await asked
  expect(order).toEqual(['beat', 'asked'])
})
