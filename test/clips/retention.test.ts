import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { MemoryClipBook } from '../../src/clips/books/memory-clip-book.ts'
import { ClipEnds } from '../../src/clips/clip-ends.ts'
import { ClipKeeper } from '../../src/clips/clip-keeper.ts'
import { MemoryClipQueue } from '../../src/clips/queue/memory-clip-queue.ts'
import { expired } from '../../src/clips/retention.ts'
import { openDataFolder } from '../../src/clips/storage/data-folder.ts'
import { FolderStorage } from '../../src/clips/storage/folder-storage.ts'
import { temporaryFolder } from '../helpers/clip-files.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { testClip } from '../helpers/test-clip.ts'

const hour = 3_600_000
const at = (hours: number) => new Date(hours * hour).toISOString()

test('what ended too long ago goes, and of too much the oldest', () => {
  const clips = [9, 7, 5, 3].map((hours) => ({
    id: String(hours),
    createdAt: at(0),
    endedAt: at(hours),
    bytes: 10
  }))
  const gone = (maxAgeMs: number | null, maxBytes: number | null) =>
    expired(clips, { maxAgeMs, maxBytes }, 10 * hour)
  expect(gone(null, null)).toEqual([])
  expect(gone(4 * hour, null)).toEqual(['5', '3'])
  expect(gone(null, 20)).toEqual(['5', '3'])
  expect(gone(6 * hour, 10)).toEqual(['7', '5', '3'])
  expect(gone(100 * hour, 5)).toEqual(['9', '7', '5', '3'])
})

async function keeper(maxAgeMs: number | null) {
  const folder = await temporaryFolder()
  const config = { dataDir: folder, stateDir: null, port: 0, redisUrl: 'redis://127.0.0.1', keyPrefix: 'a' }
  const storage = new FolderStorage(await openDataFolder(config), quietLog())
  onTestFinished(() => storage.close())
  const parts = { book: new MemoryClipBook(), queue: new MemoryClipQueue(), storage, log: quietLog() }
  const removed: string[] = []
  const made = new ClipKeeper({
    ...parts,
    ends: new ClipEnds({
      storage,
      usage: { ended: async () => {} },
      webhooks: { add: () => expect.fail('no clip has one') },
      log: parts.log
    }),
    retention: { maxAgeMs, maxBytes: null },
    remove: async (id) => void removed.push(id),
    uploads: { sweep: async () => undefined }
  })
  return { ...parts, made, removed, clips: path.join(folder, 'clips') }
}

test('the sweeper removes what is kept no longer, and never what waits, runs or lies elsewhere', async () => {
  const { made, book, removed, storage } = await keeper(hour)
  const old = { createdAt: at(1), endedAt: at(2) }
  const [done, running] = [testClip({ ...old, state: 'done' }), testClip({ ...old, state: 'running' })]
  const other = testClip({ ...old, state: 'done' })
  const young = testClip({ state: 'failed', endedAt: new Date().toISOString() })
  for (const clip of [done, running, young]) await book.put({ clip, owner: null, storage: storage.id })
  await book.put({ clip: other, owner: null, storage: 'elsewhere' })
  await made.sweep()
  expect(removed).toEqual([done.id])
})

test('of folders without a document only marked ones that nobody touches any more are removed', async () => {
  const { made, clips, storage } = await keeper(null)
  for (const name of ['left', 'coming', 'foreign']) {
    await mkdir(path.join(clips, name))
    await writeFile(path.join(clips, name, 'clip'), 'the beginning of a video')
    if (name !== 'foreign') await writeFile(path.join(clips, name, '.leadline-clip'), '')
  }
  const long = new Date(Date.now() - 2 * hour)
  for (const file of ['left/clip', 'left/.leadline-clip', 'foreign/clip'])
    await utimes(path.join(clips, file), long, long)
  const clip = testClip()
  await storage.create(clip.id)
  await storage.save({ clip, owner: null, strikes: 0 })
  await made.sweep()
  expect((await readdir(clips)).toSorted()).toEqual([clip.id, 'coming', 'foreign'].toSorted())
})
