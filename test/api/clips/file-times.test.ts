import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { unzipSync } from 'fflate'
import { expect, test } from 'vitest'
import { createVideoWriter, readVideo } from '../../../src/video/index.ts'
import { testApp } from '../../helpers/build-app.ts'
import { mp4, temporaryFolder } from '../../helpers/clip-files.ts'
import { accepted, doublesOfNpz, ended } from '../../helpers/clip-requests.ts'

test('every result has the times of the frames, however uneven', async () => {
  const { app } = await testApp()
  const times = [0, 0.005, 0.25, 3, 3.04]
  const file = path.join(await temporaryFolder(), 'uneven.mp4')
  const writer = await createVideoWriter(file, { width: 84, height: 56, fps: null })
  for (const time of times) await writer.write(new Uint8Array(84 * 56 * 3).fill(time * 70), time * 1e6)
  await writer.close()
  const { id } = await accepted(app, await readFile(file), '?results=npz&results=png16.zip&results=depth.mp4')
  const done = await ended(app, id)
  expect(done).toMatchObject({ state: 'done', warnings: [] })
  expect(done.video.fps).toBeCloseTo(4 / 3.04, 3)
  const fetched = async (name: string) =>
    (await app.inject(`/v1/clips/${done.links.results[name]}`)).rawPayload
  const near = (seconds: ArrayLike<number>) =>
    expect(Array.from(seconds, (value) => Math.round(value * 1000) / 1000)).toEqual(times)
  near(doublesOfNpz(await fetched('npz'), 'times'))
  const scale = Buffer.from(unzipSync(await fetched('png16.zip'))['scale.json'] ?? []).toString()
  near((JSON.parse(scale) as { times: number[] }).times)
  const depthFile = path.join(await temporaryFolder(), 'depth.mp4')
  await writeFile(depthFile, await fetched('depth.mp4'))
  const shown: number[] = []
  for await (const { timestampUs } of readVideo(depthFile)) shown.push(timestampUs / 1e6)
  near(shown)
})

test('a damaged clip has depth for what decodes, and says which frames are damaged', async () => {
  const { app } = await testApp()
  const bytes = await mp4({ frames: 60, width: 84, height: 56 })
  const middle = Math.floor(bytes.length / 2)
  const { id } = await accepted(app, bytes.fill(0, middle, middle + 2000), '?results=npz')
  const done = await ended(app, id)
  expect(done).toMatchObject({ state: 'done' })
  expect(done.warnings.length).toBeGreaterThan(0)
  expect(done.progress.frames).toBeGreaterThan(30)
})
