import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeFolder } from '../../src/machine/make-folder.ts'

async function scratch(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('a folder is made with those on the way to it, by several at once too', async () => {
  const folder = path.join(await scratch(), 'a', 'b', 'c')
  await Promise.all([makeFolder(folder, 0o700), makeFolder(folder, 0o700), makeFolder(`${folder}/`, 0o700)])
  await makeFolder(folder)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
})

test('a file in its place, or on the way, is an error', async () => {
  const file = path.join(await scratch(), 'file')
  await writeFile(file, '')
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolder(path.join(file, 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test.runIf(existsSync('/proc/self'))('where no folder can be made, trying ends', async () => {
  await expect(makeFolder('/proc/leadline')).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(makeFolder('/proc/leadline/clips')).rejects.toMatchObject({ code: 'ENOENT' })
})
