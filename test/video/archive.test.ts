import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createZipWriter } from '../../src/video/index.ts'
import { run, temporaryFolder } from './clip-file.ts'

test('an aborted archive leaves nothing behind', async () => {
  const folder = await temporaryFolder()
  const zip = await createZipWriter(path.join(folder, 'a.zip'))
  await zip.add('one', new Uint8Array(10))
  await zip.abort()
  await zip.close()
  expect(await readdir(folder)).toEqual([])
})

test('an archive larger than any buffer arrives whole', async () => {
  const file = path.join(await temporaryFolder(), 'a.zip')
  const zip = await createZipWriter(file)
  for (let i = 0; i < 24; i++) await zip.add(`${i}.bin`, new Uint8Array(2 ** 20).fill(i))
  await zip.close()
  const check =
    'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print([sorted(set(z.read(n))) for n in z.namelist()])'
  const { stdout } = await run('python3', ['-c', check, file])
  expect(JSON.parse(stdout)).toEqual(Array.from({ length: 24 }, (_, i) => [i]))
})

test('an archive holds more files than 16 bits can count', { timeout: 300_000 }, async () => {
  const file = path.join(await temporaryFolder(), 'a.zip')
  const zip = await createZipWriter(file)
  const count = 2 ** 16 + 2
  for (let i = 0; i < count; i++) await zip.add(`${i}`, Uint8Array.of(i % 256))
  await zip.close()
  const check =
    'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(len(z.namelist()), z.read("65537")[0])'
  const { stdout } = await run('python3', ['-c', check, file])
  expect(stdout.trim()).toBe(`${count} 1`)
})

test('what fails while it is read fails the archive, and nothing is left', async () => {
  const folder = await temporaryFolder()
  const zip = await createZipWriter(path.join(folder, 'a.zip'))
  async function* broken() {
    yield new Uint8Array(10)
    throw new Error('the source is gone')
  }
  await expect(zip.add('one', broken())).rejects.toThrow('the source is gone')
  await expect(zip.close()).rejects.toThrow()
  expect(await readdir(folder)).toEqual([])
})
