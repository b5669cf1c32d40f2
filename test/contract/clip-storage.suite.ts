import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { ClipStorage } from '../../src/clips/storage/clip-storage.ts'
import { testClip } from '../helpers/test-clip.ts'

/** What every storage must do. `open` gives two that reach the same files, from two gateways. */
export function clipStorageSuite(open: () => Promise<[ClipStorage, ClipStorage]>): void {
  const put = async (storage: ClipStorage, name: string, text: string, clip = testClip()) => {
    await storage.create(clip.id)
    await writeFile(path.join(storage.folder(clip.id), name), text)
    await storage.keep(clip.id, [name])
    await storage.save({ clip, owner: 'somebody', strikes: 2 })
    return clip
  }

  test('who reaches the same files knows them by the same name, and finds the clip of another', async () => {
    const [one, other] = await open()
    expect(other.id).toBe(one.id)
    const clip = await put(one, 'clip', 'video')
    expect(await other.read(clip.id)).toEqual({ clip, owner: 'somebody', strikes: 2 })
    expect(await other.list()).toEqual([{ clip, owner: 'somebody', strikes: 2 }])
    await other.open(clip.id)
    expect(await readFile(path.join(other.folder(clip.id), 'clip'), 'utf8')).toBe('video')
  })

  test('the document is the last that was saved, and clips come oldest first', async () => {
    const [one, other] = await open()
    const later = await put(one, 'clip', 'b', testClip({ createdAt: '2026-01-02T00:00:00.000Z' }))
    const first = await put(one, 'clip', 'a', testClip({ createdAt: '2026-01-01T00:00:00.000Z' }))
    await other.save({ clip: { ...later, state: 'done' }, owner: null, strikes: 0 })
    expect((await one.list()).map(({ clip }) => [clip.id, clip.state])).toEqual([
      [first.id, 'queued'],
      [later.id, 'done']
    ])
  })

  test('what is kept outlives the work, and nothing else does', async () => {
    const [one, other] = await open()
    const clip = await put(one, 'clip', 'video')
    for (const name of ['depth.npz', 'depth-000000.f32'])
      await writeFile(path.join(one.folder(clip.id), name), name)
    await one.keep(clip.id, ['depth.npz', 'depth-000000.f32'])
    await one.tidy(clip.id, ['depth.npz'])
    for (const storage of [one, other])
      expect(await readFile(await storage.file(clip.id, 'depth.npz'), 'utf8')).toBe('depth.npz')
    const times = [one, other].map(async (s) => (await stat(await s.file(clip.id, 'depth.npz'))).mtimeMs)
    expect(new Set(await Promise.all(times)).size).toBe(1)
    await other.open(clip.id)
    expect(await readdir(other.folder(clip.id))).not.toContain('clip')
    expect(await readdir(other.folder(clip.id))).not.toContain('depth-000000.f32')
  })

  test('a file that is given up is gone for everybody, and may be given up again', async () => {
    const [one, other] = await open()
    const clip = await put(one, 'clip', 'video')
    const names = ['context-00000255.llcx', 'context-00000511.llcx']
    for (const name of names) await writeFile(path.join(one.folder(clip.id), name), name)
    await one.keep(clip.id, names)
    for (let i = 0; i < 2; i++) await one.discard(clip.id, names.slice(0, 1))
    await other.open(clip.id)
    for (const storage of [one, other])
      expect((await readdir(storage.folder(clip.id))).filter((name) => names.includes(name))).toEqual([
        names[1]
      ])
  })

  test('of a clip that is removed nothing is left, and it may be removed again', async () => {
    const [one, other] = await open()
    const clip = await put(one, 'clip', 'video')
    await other.remove(clip.id)
    await other.remove(clip.id)
    expect(await one.read(clip.id)).toBeNull()
    expect(await one.list()).toEqual([])
    await expect(one.open(clip.id)).rejects.toMatchObject({ code: 'CLIP_UNKNOWN' })
  })

  test('a file that is larger than a part is kept whole', async () => {
    const [one, other] = await open()
    const clip = await put(one, 'clip', 'video')
    const large = Buffer.alloc(33 * 2 ** 20 + 7, 'depth')
    await writeFile(path.join(one.folder(clip.id), 'depth.npz'), large)
    await one.keep(clip.id, ['depth.npz'])
    const found = await readFile(await other.file(clip.id, 'depth.npz'))
    expect(found.equals(large)).toBe(true)
  })

  test('the upload of a clip that may still be coming is no leftover', async () => {
    const [one, other] = await open()
    const { id } = testClip()
    await one.create(id)
    await writeFile(path.join(one.folder(id), 'clip'), 'the beginning')
    await other.removeLeftovers({ isStart: false })
    expect(await readFile(path.join(one.folder(id), 'clip'), 'utf8')).toBe('the beginning')
  })
}
