import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readContextFile, writeContextFile } from '../../src/cli/context-file.ts'

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(os.tmpdir(), 'leadline-context-'))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  return made
}

test('what was written is read again, and only its user may read it', async () => {
  const file = path.join(await folder(), 'a.context')
  await writeContextFile(file, Uint8Array.of(1, 2))
  await writeContextFile(file, Uint8Array.of(3))
  expect([...(await readContextFile(file))]).toEqual([3])
  expect((await stat(file)).mode & 0o077).toBe(0)
})

test('a file that is not there, empty, or cannot be written is named, and nothing is left of it', async () => {
  const made = await folder()
  const absent = path.join(made, 'absent')
  await expect(readContextFile(absent)).rejects.toMatchObject({
    code: 'CONTEXT_INVALID',
    message: expect.stringContaining(absent) as string
  })
  const empty = path.join(made, 'empty')
  await writeFile(empty, '')
  await expect(readContextFile(empty)).rejects.toMatchObject({ code: 'CONTEXT_INVALID' })
  await expect(writeContextFile(path.join(made, 'no', 'file'), Uint8Array.of(1))).rejects.toMatchObject({
    code: 'STORAGE_UNUSABLE'
  })
  await expect(writeContextFile(made, Uint8Array.of(1))).rejects.toThrow()
  expect(await readdir(made)).toEqual(['empty'])
})
