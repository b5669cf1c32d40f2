import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { connectStream } from '../../src/client/index.ts'
import { expectedDepths } from '../../src/inference/executors/fake/fake.ts'
import { prepareRgb } from '../../src/inference/pixels/preprocess.ts'
import { createVideoWriter, readVideo } from '../../src/video/index.ts'
import { testApp } from '../helpers/build-app.ts'
import { temporaryFolder } from '../helpers/clip-files.ts'
import { accepted, depthOfNpz, ended } from '../helpers/clip-requests.ts'
import { testManifest } from '../helpers/fake-engine.ts'
import { blobs } from '../inference/pictures.ts'

const plan = { mode: 'ovda', width: 42, height: 28 } as const
const black = ({ width, height }: { width: number; height: number }) => new Uint8Array(width * height * 3)

test('a client is told which frames showed nothing, and gets the depth of the others as if those had not been', async () => {
  const { listen } = await testApp()
  const config = { delivery: 'lossless', output: { format: 'f32' } } as const
  const stream = await connectStream({ url: await listen(), config })
  const shown = [0, 2, 4, 6].map((right) => blobs(3, plan, { right }))
  const [first, ...rest] = shown as [Uint8Array, ...Uint8Array[]]
  const { width, height } = plan
  for (const data of [black(plan), first, black(plan), black(plan), ...rest])
    await stream.send({ data, codec: 'rgb24', width, height })
  await stream.close()
  const results = []
  for await (const result of stream.results) results.push(result)
  expect(results.map(({ isBlank }) => isBlank)).toEqual([true, false, true, true, false, false, false])
  const values = results.filter(({ isBlank }) => !isBlank).map((result) => result.values())
  expect(values).toEqual(expectedDepths(shown, plan))
})

test('a clip that begins black has the depth of one that does not, and says how many frames show nothing', async () => {
  const { app } = await testApp()
  const size = { width: 84, height: 56 }
  const file = path.join(await temporaryFolder(), 'black.mp4')
  const writer = await createVideoWriter(file, { ...size, fps: 25 })
  for (let i = 0; i < 2; i++) await writer.write(black(size))
  for (let i = 0; i < 8; i++) await writer.write(blobs(1, size, { right: i }))
  await writer.close()
  const { id } = await accepted(app, await readFile(file), '?results=npz&results=depth.mp4')
  const done = await ended(app, id)
  expect(done).toMatchObject({ state: 'done', blankFrames: 2, progress: { frames: 10 } })
  const shown: Uint8Array[] = []
  for await (const { rgb } of readVideo(file))
    shown.push((await prepareRgb(rgb, size, testManifest.resolution)).rgb)
  const depth = depthOfNpz((await app.inject(`/v1/clips/${done.links.results['npz']}`)).rawPayload)
  const expected = expectedDepths(shown.slice(2), plan).flatMap((map) => [...map])
  expect([...depth.subarray(2 * plan.width * plan.height)]).toEqual(expected)
})
