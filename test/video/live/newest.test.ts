import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { newest } from '../../../src/video/index.ts'

/** Items that come when they are pushed. */
function pushed() {
  const items: { n: number }[] = []
  let isOver = false
  let wake = () => {}
  const end = () => {
    isOver = true
    wake()
  }
  async function* read() {
    for (;;) {
      const item = items.shift()
      if (item !== undefined) yield item
      else if (isOver) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const push = async (...numbers: number[]) => {
    items.push(...numbers.map((n) => ({ n })))
    wake()
    for (let turn = 0; turn < 10; turn++) await setImmediate()
  }
  return { read: read(), push, end, isOver: () => isOver }
}

test('what nobody asked for in time is passed over and counted', async () => {
  const source = pushed()
  let skipped = 0
  const latest = newest(source.read, { onSkipped: () => void skipped++, end: source.end })
  await source.push(1)
  expect((await latest.next()).value).toEqual({ n: 1 })
  await source.push(2, 3, 4)
  expect((await latest.next()).value).toEqual({ n: 4 })
  expect(skipped).toBe(2)
  const waiting = latest.next()
  await source.push(5)
  expect((await waiting).value).toEqual({ n: 5 })
  await source.push(6)
  source.end()
  expect((await latest.next()).value).toEqual({ n: 6 })
  expect((await latest.next()).done).toBe(true)
})

test('leaving ends the source, also while one is waited for', async () => {
  const source = pushed()
  await source.push(1)
  for await (const item of newest(source.read, { onSkipped: () => {}, end: source.end })) {
    expect(item).toEqual({ n: 1 })
    break
  }
  expect(source.isOver()).toBe(true)
})

test('a source that fails fails', async () => {
  const broken = new Error('broken')
  async function* read() {
    yield { n: 1 }
    throw broken
  }
  const latest = newest(read(), { onSkipped: () => {}, end: () => {} })
  expect((await latest.next()).value).toEqual({ n: 1 })
  await expect(latest.next()).rejects.toBe(broken)
})
