import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hasBucketServer, startBucketServer } from '../helpers/bucket-server.ts'
import { mp4, temporaryFolder } from '../helpers/clip-files.ts'
import { clipService, kill, outcome, patience, progress, send } from './clip-service.ts'

/** One scene of several checkpoints. */
const shape = { frames: 1200, width: 84, height: 56 }
const oneScene = '&sceneCut=false'

/** Of the clip in the data folder of a gateway. */
async function filesOf(dataDir: string, id: string): Promise<string[]> {
  return readdir(path.join(dataDir, 'clips', id)).catch(() => [])
}

test.skipIf(!hasBucketServer)(
  'a clip in a bucket that loses its worker and its gateway goes on at one with a folder of its own, and a third has the results',
  async () => {
    const bucket = await startBucketServer()
    onTestFinished(() => bucket.stop())
    const { gateway, worker } = await clipService({
      ...{ LEADLINE_BUCKET_URL: `${bucket.url}/some/prefix`, LEADLINE_BUCKET_REGION: 'us-east-1' },
      ...{ LEADLINE_BUCKET_ACCESS_KEY: 'key', LEADLINE_BUCKET_SECRET_KEY: 'secret' }
    })
    const [ownFolder, nextFolder, lastFolder] = [
      await temporaryFolder(),
      await temporaryFolder(),
      await temporaryFolder()
    ]
    const video = await mp4(shape)
    const first = await gateway(ownFolder)
    const served = await worker()
    const undisturbed = await outcome(first, await send(first, video, oneScene), shape.frames)

    const id = await send(first, video, oneScene)
    await progress(first, id, 300)
    await kill(served)
    await kill(first)
    // There is no worker: what the next one has of the clip, it has from the bucket.
    const next = await gateway(nextFolder)
    await expect
      .poll(() => filesOf(nextFolder, id), patience)
      .toEqual(expect.arrayContaining(['clip', expect.stringMatching(/^context-\d+\.llcx$/)]))
    await worker()
    expect(await outcome(next, id, shape.frames)).toBe(undisturbed)
    await kill(next)
    expect(await outcome(await gateway(lastFolder), id, shape.frames)).toBe(undisturbed)
  },
  600_000
)
