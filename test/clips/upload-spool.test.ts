import { readFile, readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { UploadSpool } from '../../src/clips/uploads/upload-spool.ts'
import { temporaryFolder } from '../helpers/clip-files.ts'

const id = '00000000-0000-4000-8000-000000000000'

/** An upload as two gateways of one folder have it. */
async function shared() {
  const root = await temporaryFolder()
  const [one, other] = [new UploadSpool(root), new UploadSpool(root)]
  const request = { results: ['npz'] } as never
  const createdAt = new Date(0).toISOString()
  await one.create({ id, owner: null, length: 8, request, metadata: null, createdAt, isClip: false })
  return { one, other, bytes: () => readFile(one.bytesPath(id), 'utf8') }
}

test('what two gateways write at once is never mixed: that of the newer one stays, and the older one is told', async () => {
  const { one, other, bytes } = await shared()
  const older = await one.writer(id, 0)
  const newer = await other.writer(id, 0)
  await older.write(Buffer.from('aaaa'), 0)
  await newer.write(Buffer.from('bbbb'), 0)
  await older.write(Buffer.from('aaaa'), 4)
  expect(await bytes()).toBe('bbbb')
  expect([await older.isCurrent(), await newer.isCurrent()]).toEqual([false, true])
  await older.close()
  await newer.write(Buffer.from('bbbb'), 4)
  await newer.close()
  expect(await bytes()).toBe('bbbbbbbb')
  expect((await readdir(one.folder(id))).sort()).toEqual(['bytes', 'upload.json'])
})

test('a newer one goes on behind what the older one had written, and not behind what that still writes', async () => {
  const { one, other, bytes } = await shared()
  const older = await one.writer(id, 0)
  await older.write(Buffer.from('aaaa'), 0)
  const newer = await other.writer(id, 3)
  await older.write(Buffer.from('aaaa'), 4)
  await newer.write(Buffer.from('bbbbb'), 3)
  expect(await bytes()).toBe('aaabbbbb')
  for (const writer of [older, newer]) await writer.close()
})

test('one after the other write to the same file, and to a copy after one that has died', async () => {
  const { one, other, bytes } = await shared()
  const first = await one.writer(id, 0)
  await first.write(Buffer.from('aa'), 0)
  await first.close()
  const died = await one.writer(id, 2)
  expect(await first.isCurrent()).toBe(true)
  await died.write(Buffer.from('aa'), 2)
  const next = await other.writer(id, 4)
  await next.write(Buffer.from('bbbb'), 4)
  await next.close()
  expect(await bytes()).toBe('aaaabbbb')
  await died.close()
  await one.remove(id)
  await expect(readdir(one.folder(id))).rejects.toMatchObject({ code: 'ENOENT' })
})
