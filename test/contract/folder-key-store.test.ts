import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FolderKeyStore } from '../../src/access/folder/folder-key-store.ts'
import { addKey } from '../helpers/keys.ts'
import { keyStoreSuite } from './key-store.suite.ts'

async function keyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-keys-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return path.join(folder, 'data', 'keys')
}

keyStoreSuite('the folder', async () => {
  const folder = await keyFolder()
  return [new FolderKeyStore(folder), new FolderKeyStore(folder)]
})

test('files of keys are their owner’s alone, and the value of a key is in none', async () => {
  const folder = await keyFolder()
  const { key, value } = await addKey(new FolderKeyStore(folder))
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect(await readdir(folder)).toEqual([`${key.id}.json`])
  const file = path.join(folder, `${key.id}.json`)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readFile(file, 'utf8')).not.toContain(value.slice(20))
})

test('a damaged file is named, and is no key', async () => {
  const folder = await keyFolder()
  const store = new FolderKeyStore(folder)
  const { key } = await addKey(store)
  const file = path.join(folder, `${key.id}.json`)
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 40))
  const refusal = { code: 'STORAGE_UNUSABLE', message: expect.stringContaining(file) }
  await expect(store.read([key.id])).rejects.toMatchObject(refusal)
  await expect(store.list()).rejects.toMatchObject(refusal)
})
