import { expect, test } from 'vitest'
import { ClipQueue } from '../../../src/api/clips/clip-queue.ts'

/** A queue whose clips end when the test says so. */
function heldQueue(maxWaiting: number, maxUploads = 2) {
  const started: string[] = []
  const finish = new Map<string, () => void>()
  const queue = new ClipQueue({ maxWaiting, maxUploads }, (id, signal) => {
    started.push(id)
    return new Promise<void>((resolve) => {
      finish.set(id, resolve)
      signal.addEventListener('abort', () => resolve())
    })
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { queue, started, turn, finish: (id: string) => finish.get(id)?.() }
}

test('clips run one at a time, in order', async () => {
  const { queue, started, finish, turn } = heldQueue(4)
  for (const id of ['a', 'b', 'c']) queue.add(id)
  expect(started).toEqual(['a'])
  finish('a')
  await turn()
  expect(started).toEqual(['a', 'b'])
})

test('uploads are bounded by themselves, and each counts until it is added or given up', () => {
  const { queue } = heldQueue(4)
  const end = queue.beginUpload()
  queue.beginUpload()
  expect(() => queue.beginUpload()).toThrow(
    expect.objectContaining({ code: 'CLIPS_BUSY', retryAfterMs: 30_000 })
  )
  end()
  end()
  queue.beginUpload()
  expect(() => queue.beginUpload()).toThrow('2 clips are being uploaded')
})

test('uploads take no place of those that wait, and the clip that runs takes none', () => {
  const { queue } = heldQueue(1)
  queue.beginUpload()
  queue.add('a')
  queue.beginUpload()
  queue.add('b')
  expect(() => queue.beginUpload()).toThrow('1 clips are waiting')
})

test('a clip that is cancelled never starts, or stops, and the next one runs', async () => {
  const { queue, started } = heldQueue(4)
  for (const id of ['a', 'b', 'c']) queue.add(id)
  await queue.cancel('b')
  await queue.cancel('a')
  expect(started).toEqual(['a', 'c'])
})

test('closing stops the clip that runs and starts no other', async () => {
  const { queue, started } = heldQueue(4)
  for (const id of ['a', 'b']) queue.add(id)
  await queue.close()
  expect(started).toEqual(['a'])
})
