import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ClipBook } from '../../src/clips/books/clip-book.ts'
import type { IdempotencyBook } from '../../src/clips/books/idempotency-book.ts'
import type { Clip, ClipState } from '../../src/clips/clip.ts'
import { testClip } from '../helpers/test-clip.ts'

const holdMs = 60_000

/** What every book must do. `open` gives an empty one. */
export function clipBookSuite(open: () => Promise<ClipBook>): void {
  const put = async (book: ClipBook, fields: Partial<Clip> = {}, owner: string | null = null) => {
    const clip = testClip(fields)
    expect(await book.put({ clip, owner, storage: 'here' })).toBe(true)
    return clip
  }

  test('a clip is there as it was put, and is not put twice', async () => {
    const book = await open()
    const clip = await put(book, {}, 'somebody')
    expect(await book.get(clip.id)).toEqual({ clip, owner: 'somebody', storage: 'here' })
    expect(await book.put({ clip: { ...clip, state: 'done' }, owner: null, storage: 'there' })).toBe(false)
    expect(await book.get(clip.id)).toMatchObject({ clip: { state: 'queued' }, owner: 'somebody' })
    expect(await book.get(randomUUID())).toBeNull()
  })

  test('one run has a clip at a time, until it lets go or says nothing for too long', async () => {
    const book = await open()
    const { id } = await put(book)
    expect(await book.claim(id, 'a', holdMs)).toMatchObject({
      kind: 'taken',
      row: { clip: { state: 'running' } }
    })
    expect(await book.claim(id, 'b', holdMs)).toEqual({ kind: 'held' })
    expect(await book.claim(id, 'a', holdMs)).toMatchObject({ kind: 'taken' })
    expect(await book.keep(id, 'b', { frames: 9, holdMs })).toBe('lost')
    expect(await book.keep(id, 'a', { frames: 3, holdMs: 0 })).toBe('kept')
    expect(await book.claim(id, 'b', holdMs)).toMatchObject({
      kind: 'taken',
      row: { clip: { progress: { frames: 3 } } }
    })
    expect(await book.keep(id, 'a', { frames: 4, holdMs })).toBe('lost')
    expect(await book.claim(id, 'c', holdMs)).toEqual({ kind: 'held' })
    await book.keep(id, 'b', { frames: 4, holdMs: 1 })
    await expect.poll(() => book.claim(id, 'c', holdMs)).toMatchObject({ kind: 'taken' })
  })

  test('the end of a run counts if the clip is its own, and then there is nothing to run', async () => {
    const book = await open()
    const clip = await put(book)
    await book.claim(clip.id, 'a', holdMs)
    const done: Clip = { ...clip, state: 'done', progress: { frames: 7, frameCount: 7 }, endedAt: 'then' }
    expect(await book.settle(clip.id, 'b', { ...clip, state: 'failed' })).toBe('lost')
    expect(await book.settle(clip.id, 'a', done)).toBe('kept')
    expect(await book.get(clip.id)).toMatchObject({ clip: done })
    expect(await book.claim(clip.id, 'c', holdMs)).toMatchObject({ kind: 'over', row: { clip: done } })
    expect(await book.cancel(clip.id, 'now')).toBeNull()
  })

  test('a clip that is cancelled is lost to who runs it', async () => {
    const book = await open()
    const { id } = await put(book)
    await book.claim(id, 'a', holdMs)
    expect(await book.cancel(id, 'then')).toMatchObject({ clip: { state: 'cancelled', endedAt: 'then' } })
    expect(await book.keep(id, 'a', { frames: 1, holdMs })).toBe('lost')
    expect(await book.settle(id, 'a', testClip({ id, state: 'done' }))).toBe('lost')
    expect(await book.claim(id, 'b', holdMs)).toMatchObject({ kind: 'over' })
  })

  test('of a clip that is removed nothing is known', async () => {
    const book = await open()
    const { id } = await put(book, {}, 'somebody')
    await book.claim(id, 'a', holdMs)
    await book.remove(id)
    await book.remove(id)
    expect(await book.keep(id, 'a', { frames: 1, holdMs })).toBe('unknown')
    expect(await book.settle(id, 'a', testClip({ id }))).toBe('unknown')
    expect(await book.claim(id, 'a', holdMs)).toEqual({ kind: 'over', row: null })
    expect(await book.list({ owner: 'somebody', states: [], limit: 10, cursor: null })).toEqual({
      rows: [],
      cursor: null
    })
  })

  test('pages come newest first, of one owner or of all, in the states that are asked for', async () => {
    const book = await open()
    const states: ClipState[] = ['queued', 'done', 'failed', 'done', 'queued', 'done']
    const made: Clip[] = []
    for (const [i, state] of states.entries()) {
      const createdAt = new Date(1e12 + i * 1000).toISOString()
      made.unshift(await put(book, { state, createdAt }, i % 2 ? 'odd' : 'even'))
    }
    const ids = async (owner: string | null, states: ClipState[], limit: number) => {
      const pages: string[][] = []
      for (let cursor: string | null = null; ;) {
        const page = await book.list({ owner, states, limit, cursor })
        pages.push(page.rows.map(({ clip }) => clip.id))
        cursor = page.cursor
        if (cursor === null) return pages
      }
    }
    const at = (...indices: number[]) => indices.map((i) => made[i]?.id)
    expect(await ids(null, [], 4)).toEqual([at(0, 1, 2, 3), at(4, 5)])
    expect(await ids(null, [], 6)).toEqual([at(0, 1, 2, 3, 4, 5)])
    expect(await ids('odd', [], 2)).toEqual([at(0, 2), at(4)])
    expect(await ids(null, ['done'], 2)).toEqual([at(0, 2), at(4)])
    expect(await ids('even', ['failed', 'queued'], 10)).toEqual([at(1, 3, 5)])
    expect(await ids('nobody', [], 10)).toEqual([[]])
  })

  test('clips of one moment are each on one page', async () => {
    const book = await open()
    const createdAt = new Date(1e12).toISOString()
    for (let i = 0; i < 5; i++) await put(book, { createdAt })
    const first = await book.list({ owner: null, states: [], limit: 3, cursor: null })
    const second = await book.list({ owner: null, states: [], limit: 3, cursor: first.cursor })
    const ids = [...first.rows, ...second.rows].map(({ clip }) => clip.id)
    expect(new Set(ids).size).toBe(5)
    expect(ids).toHaveLength(5)
  })

  test('it is known what the book has been told of', async () => {
    const book = await open()
    expect(await book.isKnown('here')).toBe(false)
    await book.know('here')
    expect(await book.isKnown('here')).toBe(true)
  })
}

/** What every book of requests must do. */
export function idempotencySuite(open: () => Promise<IdempotencyBook>): void {
  test('a name is begun once, until it is recorded, forgotten or held no longer', async () => {
    const book = await open()
    expect(await book.begin('a', holdMs)).toBe('begun')
    expect(await book.begin('a', holdMs)).toBe('pending')
    await book.forget('a')
    expect(await book.begin('a', holdMs)).toBe('begun')
    const recorded = { clip: randomUUID(), fingerprint: 'f' }
    await book.record('a', recorded)
    expect(await book.begin('a', holdMs)).toEqual(recorded)
    expect(await book.begin('b', 1)).toBe('begun')
    await expect.poll(() => book.begin('b', holdMs)).toBe('begun')
    await book.hold('b', 1)
    await expect.poll(() => book.begin('b', holdMs)).toBe('begun')
  })
}
