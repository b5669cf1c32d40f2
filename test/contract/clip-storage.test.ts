import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Bucket } from '../../src/clips/storage/bucket.ts'
import { BucketStorage } from '../../src/clips/storage/bucket-storage.ts'
import { openDataFolder } from '../../src/clips/storage/data-folder.ts'
import { FolderStorage } from '../../src/clips/storage/folder-storage.ts'
import { hasBucketServer, startBucketServer } from '../helpers/bucket-server.ts'
import { temporaryFolder } from '../helpers/clip-files.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { clipStorageSuite } from './clip-storage.suite.ts'

async function folderAt(dataDir: string): Promise<FolderStorage> {
  const config = { dataDir, stateDir: null, port: 0, redisUrl: 'redis://127.0.0.1', keyPrefix: 'a' }
  const storage = new FolderStorage(await openDataFolder(config), quietLog())
  onTestFinished(() => storage.close())
  return storage
}

describe('a folder', () =>
  clipStorageSuite(async () => {
    const folder = await temporaryFolder()
    return [await folderAt(folder), await folderAt(folder)]
  }))

const keys = { region: 'us-east-1', accessKey: 'key', secretKey: 'secret' }

describe.skipIf(!hasBucketServer)('a bucket', () => {
  let server: Awaited<ReturnType<typeof startBucketServer>>
  beforeAll(async () => {
    server = await startBucketServer()
  }, 120_000)
  afterAll(() => server.stop())

  clipStorageSuite(async () => {
    const url = `${server.url}/${randomUUID()}`
    const storage = async () => {
      const bucket = new Bucket({ ...keys, url }, quietLog())
      await bucket.check()
      return new BucketStorage({
        bucket,
        url,
        scratch: await folderAt(await temporaryFolder()),
        log: quietLog()
      })
    }
    return [await storage(), await storage()]
  })

  test('that is not there is told by the setting that names it', async () => {
    const bucket = new Bucket({ ...keys, url: `${server.url}-none` }, quietLog())
    await expect(bucket.check()).rejects.toMatchObject({
      code: 'STORAGE_UNUSABLE',
      message: expect.stringContaining('LEADLINE_BUCKET_URL')
    })
  })
})
