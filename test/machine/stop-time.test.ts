import { expect, test } from 'vitest'
import { closeInOrder, until } from '../../src/machine/stop-time.ts'

const later = performance.now() + 60_000
const never = new Promise<void>(() => undefined)

test('what is closed second is closed after the first', async () => {
  const closed: string[] = []
  const first = Promise.resolve().then(() => void closed.push('first'))
  await closeInOrder(later, first, async () => void closed.push('second'))
  expect(closed).toEqual(['first', 'second'])
})

test('what is closed second does not wait for a first that waits for it', async () => {
  let release: () => void = () => undefined
  const first = new Promise<void>((resolve) => (release = resolve))
  await closeInOrder(performance.now(), first, async () => release())
})

test('a first that fails keeps nothing open', async () => {
  const closed: string[] = []
  const first = Promise.reject(new Error('broken'))
  await expect(closeInOrder(later, first, async () => void closed.push('second'))).rejects.toThrow('broken')
  expect(closed).toEqual(['second'])
})

test('waiting ends with the work or the time, whichever is first', async () => {
  await until(performance.now(), never)
  await until(later, Promise.resolve())
  await expect(until(later, Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})
