import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { roomFailure } from '../../../src/clips/storage/disk-room.ts'
import { testApp } from '../../helpers/build-app.ts'
import { mp4 } from '../../helpers/clip-files.ts'
import { eventually } from '../../helpers/eventually.ts'
import { accepted, ended, post } from '../../helpers/clip-requests.ts'
import type { ClipBody } from '../../helpers/clip-requests.ts'
import { makeClip, temporaryFolder } from '../../video/clip-file.ts'

const mapBytes = 42 * 28 * 4
let video: Buffer
beforeAll(async () => {
  video = await mp4({ frames: 40, width: 84, height: 56 })
})

/** A Matroska file that does not say how many frames it has. */
async function silentClip(frames: number): Promise<Buffer> {
  return readFile(await makeClip(path.join(await temporaryFolder(), 'clip.mkv'), frames))
}

test('a clip that says it has more frames than allowed is refused at the door', async () => {
  const { app, config } = await testApp({ config: { maxClipFrames: 39 } })
  const response = await post(app, video)
  expect(response.statusCode).toBe(413)
  expect(response.json()).toMatchObject({
    code: 'CLIP_TOO_LARGE',
    detail: expect.stringContaining('39 frames that LEADLINE_MAX_CLIP_FRAMES allows')
  })
  expect(await readdir(path.join(config.dataDir, 'clips'))).toEqual([])
  const exact = await testApp({ config: { maxClipFrames: 40 } })
  expect((await ended(exact.app, (await accepted(exact.app, video, '?results=npz')).id)).state).toBe('done')
})

test('a clip that does not say so ends with the first frame too many', async () => {
  const { app } = await testApp({ config: { maxClipFrames: 9 } })
  const { id } = await accepted(app, await silentClip(12), '?results=npz')
  const failed = await ended(app, id)
  expect(failed).toMatchObject({ state: 'failed', progress: { frames: 9 } })
  expect(failed.failure).toMatchObject({ code: 'CLIP_TOO_LARGE' })
  expect(failed.failure?.detail).toContain('LEADLINE_MAX_CLIP_FRAMES')
  const refused = await app.inject(`/v1/clips/${id}/results/npz`)
  expect(refused.statusCode).toBe(409)
  expect(refused.json()).toMatchObject({
    code: 'CLIP_FAILED',
    detail: expect.stringContaining('CLIP_TOO_LARGE')
  })
})

test('a clip whose depth will take too much of the disk ends before it is written', async () => {
  // Each map three times: as it comes, beside the archive, and in it.
  const needed = video.length + 40 * 3 * mapBytes
  const { app, config } = await testApp({ config: { maxClipDiskBytes: needed - 1 } })
  const { id } = await accepted(app, video, '?results=npz')
  const failed = await ended(app, id)
  expect(failed).toMatchObject({ state: 'failed', progress: { frames: 0 } })
  expect(failed.failure).toMatchObject({ code: 'CLIP_TOO_LARGE' })
  expect(failed.failure?.detail).toContain('LEADLINE_MAX_CLIP_DISK_MIB')
  const left = async () => (await readdir(path.join(config.dataDir, 'clips', id))).toSorted()
  await eventually(left).toEqual(['.leadline-clip', 'clip.json'])
  const roomy = await testApp({ config: { maxClipDiskBytes: needed + 8192 } })
  expect((await ended(roomy.app, (await accepted(roomy.app, video, '?results=npz')).id)).state).toBe('done')
})

test('a clip that does not say how long it is ends when its depth has taken too much of the disk', async () => {
  const clip = await silentClip(60)
  const { app } = await testApp({ config: { maxClipDiskBytes: clip.length + 100_000 } })
  const failed = await ended(app, (await accepted(app, clip, '?results=depth.mp4')).id)
  expect(failed.failure).toMatchObject({ code: 'CLIP_TOO_LARGE' })
  expect(failed.progress.frames).toBeGreaterThan(0)
  expect(failed.progress.frames).toBeLessThan(60)
})

test('a clip is refused before its upload when the disk has too little left', async () => {
  const { app, config } = await testApp({ config: { minFreeBytes: 2 ** 60 } })
  const response = await post(app, video)
  expect(response.statusCode).toBe(507)
  expect(response.json<ClipBody & { temporary: boolean }>()).toMatchObject({
    code: 'STORAGE_FULL',
    temporary: true,
    detail: expect.stringMatching(
      / MiB left; LEADLINE_MIN_FREE_MIB leaves \d+ free; .* set LEADLINE_DATA_DIR/
    )
  })
  expect(await readdir(path.join(config.dataDir, 'clips'))).toEqual([])
})

test('what is to come counts as taken, and not as free', () => {
  const limits = { maxClipDiskBytes: 100, minFreeBytes: 10 }
  const failure = (takenBytes: number, comingBytes: number, freeBytes: number) =>
    roomFailure({ takenBytes, comingBytes, freeBytes }, limits)?.code ?? null
  expect(failure(60, 40, 50)).toBeNull()
  expect(failure(60, 41, 1000)).toBe('CLIP_TOO_LARGE')
  expect(failure(0, 41, 50)).toBe('STORAGE_FULL')
  expect(failure(0, 0, 9)).toBe('STORAGE_FULL')
  expect(
    roomFailure({ takenBytes: 0, comingBytes: 5, freeBytes: 0 }, { ...limits, minFreeBytes: 0 })
  ).toBeNull()
})
