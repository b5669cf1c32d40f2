import { expect, onTestFinished, test } from 'vitest'
import { MemoryClipBook } from '../../src/clips/books/memory-clip-book.ts'
import { ClipEnds } from '../../src/clips/clip-ends.ts'
import { ClipKeeper } from '../../src/clips/clip-keeper.ts'
import { ClipRunner } from '../../src/clips/clip-runner.ts'
import { MemoryClipQueue } from '../../src/clips/queue/memory-clip-queue.ts'
import { openDataFolder } from '../../src/clips/storage/data-folder.ts'
import { FolderStorage } from '../../src/clips/storage/folder-storage.ts'
import { loadConfig } from '../../src/config.ts'
import { LeadlineError } from '../../src/errors.ts'
import { embeddedSessions } from '../../src/sessions/index.ts'
import type { Delivery } from '../../src/webhooks/index.ts'
import { fakeEngine } from '../helpers/fake-engine.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { testClip } from '../helpers/test-clip.ts'
import { temporaryFolder } from '../video/clip-file.ts'

/** A clip whose run has ended it, in book and document, and died before its webhook was told. */
async function untold() {
  const config = { ...loadConfig({}), dataDir: await temporaryFolder() }
  const log = quietLog()
  const storage = new FolderStorage(await openDataFolder(config), log)
  onTestFinished(() => storage.close())
  const book = new MemoryClipBook()
  const endedAt = '2026-01-02T00:00:00.000Z'
  const clip = testClip({ state: 'done', endedAt, webhook: 'https://example.com/hook' })
  await storage.create(clip.id)
  await storage.save({ clip, owner: 'mine', strikes: 1 })
  await book.put({ clip, owner: 'mine', storage: storage.id })
  const told: Delivery[] = []
  let isAway = false
  const webhooks = {
    async add(delivery: Delivery, onSafe: () => Promise<void>) {
      if (isAway) throw new LeadlineError('STORE_UNAVAILABLE', 'Redis is away')
      told.push(delivery)
      await onSafe()
    }
  }
  const ends = new ClipEnds({ storage, usage: { ended: async () => {} }, webhooks, log })
  return {
    ...{ config, log, storage, book, clip, told, ends },
    setAway: (away: boolean) => void (isAway = away)
  }
}

test('whoever has the turn next tells it, once it can be queued, and then no more', async () => {
  const { config, log, storage, book, clip, told, ends, setAway } = await untold()
  const sessions = await embeddedSessions(fakeEngine(), log, config)
  onTestFinished(() => sessions.close())
  const tellFailure = () => expect.fail('it has not failed')
  const runner = new ClipRunner({ book, storage, sessions, ends, limits: config, tellFailure, log })
  const turn = { id: clip.id, signal: new AbortController().signal, tell: () => undefined }
  setAway(true)
  expect(await runner.run(turn)).toEqual({ againInMs: expect.any(Number) })
  setAway(false)
  for (let i = 0; i < 2; i++) expect(await runner.run(turn)).toBe('over')
  const self = `/v1/clips/${clip.id}`
  expect(told).toMatchObject([
    {
      ...{ id: clip.id, owner: 'mine', url: clip.webhook, type: 'clip.done', timestamp: clip.endedAt },
      data: { id: clip.id, state: 'done', failure: null, links: { self } }
    }
  ])
})

test('the next life tells it, and the one after that does not', async () => {
  const { log, storage, book, told, ends } = await untold()
  for (let life = 0; life < 2; life++) {
    const keeper = new ClipKeeper({
      ...{ book, queue: new MemoryClipQueue(), storage, ends, log },
      ...{ retention: { maxAgeMs: null, maxBytes: null }, remove: async () => undefined },
      uploads: { sweep: async () => undefined }
    })
    await keeper.start()
    await keeper.stop()
  }
  expect(told.length).toBe(1)
})

test('one that was deleted meanwhile is told, and does not come back', async () => {
  const { storage, clip, told, ends } = await untold()
  await storage.remove(clip.id)
  await ends.tell({ clip, owner: 'mine' })
  expect(told.length).toBe(1)
  expect(await storage.list()).toEqual([])
})
