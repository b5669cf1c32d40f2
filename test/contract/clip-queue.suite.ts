import { expect, onTestFinished, test } from 'vitest'
import type { ClipQueue, TurnEnd } from '../../src/clips/queue/clip-queue.ts'
import { eventually } from '../helpers/eventually.ts'

/** Serves turns that end when the test says so, or when they are taken back. */
function held(queue: ClipQueue) {
  const started: string[] = []
  const finish = new Map<string, (end: TurnEnd) => void>()
  queue.serve(({ id, signal }) => {
    started.push(id)
    return new Promise((resolve) => {
      finish.set(id, resolve)
      signal.addEventListener('abort', () => resolve({ againInMs: 0 }))
    })
  })
  return {
    started,
    end: (id: string, end: TurnEnd = 'over') => finish.get(id)?.(end)
  }
}

/** What every queue must do. `open` gives an empty one, or another view of the one that it gave before. */
export function clipQueueSuite(open: () => Promise<ClipQueue>): void {
  const opened = async () => {
    const queue = await open()
    onTestFinished(() => queue.close())
    return queue
  }

  test('clips of one owner run one at a time, in order', async () => {
    const queue = await opened()
    for (const id of ['a', 'b', 'c']) await queue.add(id, null)
    expect(await queue.waiting()).toBe(3)
    const { started, end } = held(queue)
    await eventually(() => started).toEqual(['a'])
    await eventually(() => queue.waiting()).toBe(2)
    end('a')
    await eventually(() => started).toEqual(['a', 'b'])
    end('b')
    await eventually(() => started).toEqual(['a', 'b', 'c'])
  })

  test('whoever has many clips waits for himself, not others for him', async () => {
    const queue = await opened()
    for (const id of ['a1', 'a2', 'a3', 'a4']) await queue.add(id, 'a')
    await queue.add('b1', 'b')
    await queue.add('b2', 'b')
    const { started, end } = held(queue)
    await eventually(() => started).toEqual(['a1'])
    end('a1')
    await eventually(() => started).toEqual(['a1', 'b1'])
    // Who comes late is not behind what others sent long before, nor before what is being served.
    await queue.add('c1', 'c')
    for (const next of ['a2', 'b2']) {
      end(started.at(-1) ?? '')
      await eventually(() => started.at(-1)).toBe(next)
    }
    end('b2')
    await eventually(() => started.at(-1)).toBe('c1')
    end('c1')
    await eventually(() => started.at(-1)).toBe('a3')
  })

  test('a clip is queued once, however often it is added', async () => {
    const queue = await opened()
    for (let i = 0; i < 3; i++) await queue.add('a', null)
    expect(await queue.waiting()).toBe(1)
    const { started, end } = held(queue)
    await eventually(() => started).toEqual(['a'])
    await queue.add('a', null)
    await queue.add('b', null)
    end('a')
    await eventually(() => started).toEqual(['a', 'b'])
  })

  test('a turn that wants another comes again', async () => {
    const queue = await opened()
    await queue.add('a', null)
    const { started, end } = held(queue)
    await eventually(() => started).toEqual(['a'])
    end('a', { againInMs: 1 })
    await eventually(() => started).toEqual(['a', 'a'])
  })

  test('a clip that is cancelled never starts, or its turn is taken back, and the next one runs', async () => {
    const queue = await opened()
    for (const id of ['a', 'b', 'c']) await queue.add(id, null)
    const { started } = held(queue)
    await eventually(() => started).toEqual(['a'])
    await queue.cancel('b')
    await queue.cancel('a')
    await eventually(() => started.filter((id) => id !== 'a')).toEqual(['c'])
  })

  test('closing takes the turn back, and serves no other', async () => {
    const queue = await opened()
    for (const id of ['a', 'b']) await queue.add(id, null)
    const { started } = held(queue)
    await eventually(() => started).toEqual(['a'])
    await queue.close()
    expect(started).toEqual(['a'])
  })
}
