import { fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { FolderUsageStore } from '../../src/usage/folder/folder-usage-store.ts'
import { MemoryUsageStore } from '../../src/usage/index.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { always, entryOf } from '../helpers/usage-entry.ts'
import { usageStoreSuite } from './usage-store.suite.ts'

const script = fileURLToPath(new URL('../helpers/usage-fork.ts', import.meta.url))

usageStoreSuite('memory', async () => {
  const store = new MemoryUsageStore()
  return { meter: store, store }
})

usageStoreSuite('a folder', async () => {
  const store = await open(await usageFolder())
  return { meter: store, store }
})

async function usageFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-usage-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return path.join(folder, 'usage')
}

async function open(folder: string, maxJournalBytes?: number): Promise<FolderUsageStore> {
  const store = await FolderUsageStore.open(folder, quietLog(), maxJournalBytes)
  onTestFinished(() => store.close())
  return store
}

const framesOf = async (store: FolderUsageStore) => (await store.read(always))[0]?.amounts.frames ?? 0

test('what was counted, and what it was counted by, is there again in the next life', async () => {
  const folder = await usageFolder()
  for (let life = 1; life <= 3; life++) {
    const store = await open(folder)
    expect(await store.count(entryOf({}, life))).toBe(true)
    expect(await store.count(entryOf({}, life - 1))).toBe(false)
    expect(await framesOf(store)).toBe(life)
    await store.close()
    await store.close()
  }
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
})

test('a journal that has grown is summed up while counting goes on, and nothing is lost or doubled', async () => {
  const folder = await usageFolder()
  const store = await open(folder, 2000)
  for (let i = 0; i < 500; i++) {
    await store.count(entryOf({}, i))
    if (i % 50 === 0) await new Promise(setImmediate)
  }
  await store.close()
  expect((await readdir(folder)).filter((file) => file.startsWith('journal')).length).toBeLessThan(50)
  expect(await framesOf(await open(folder))).toBe(500)
})

test('what a killed process had counted is there, to the last entry', async () => {
  const folder = await usageFolder()
  for (let life = 0; life < 3; life++) {
    const child = fork(script, [folder, String(life)], {
      execArgv: ['--import', 'tsx']
    })
    // It says each number once that is counted, and so may be killed in the middle of one.
    let told = -1
    child.on('message', (number) => (told = number as number))
    while (told < 300 * (life + 1)) await once(child, 'message')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const store = await open(folder)
    const frames = await framesOf(store)
    expect(frames).toBeGreaterThanOrEqual(told + 1)
    // Sums and marks say the same.
    expect(await store.count(entryOf({}, frames - 1))).toBe(false)
    expect(await store.count(entryOf({}, frames))).toBe(true)
    await store.close()
  }
})

test('a line that a crash has cut is none, and the lines around it count', async () => {
  const folder = await usageFolder()
  const store = await open(folder)
  await store.count(entryOf({}, 1))
  await store.close()
  const [journal = ''] = (await readdir(folder)).filter((file) => file.startsWith('journal'))
  await appendFile(path.join(folder, journal), '{"owner":null,"day":"2026')
  const next = await open(folder)
  expect(await framesOf(next)).toBe(1)
  await next.count(entryOf({}, 2))
  await next.close()
  expect(await framesOf(await open(folder))).toBe(2)
})

test('days that are older than what is kept go', async () => {
  const folder = await usageFolder()
  const store = await open(folder)
  await store.count(entryOf({ day: '2020-01-01' }, 1))
  await store.close()
  const next = await open(folder)
  await next.close()
  expect(await (await open(folder)).read({ from: '2019-12-31', to: '2020-01-02' })).toEqual([])
})

test('a folder that another server has, and one that holds something else, are named', async () => {
  const folder = await usageFolder()
  const store = await open(folder)
  await expect(open(folder)).rejects.toMatchObject({
    code: 'STORAGE_UNUSABLE',
    message: expect.stringContaining(`process ${process.pid}`)
  })
  await store.close()
  await writeFile(path.join(folder, 'totals.json'), 'not usage')
  await expect(open(folder)).rejects.toMatchObject({
    code: 'STORAGE_UNUSABLE',
    message: expect.stringContaining('totals.json')
  })
})
