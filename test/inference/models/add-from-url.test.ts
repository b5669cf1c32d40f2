import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { randomWeights } from '../../../bench/random-weights.ts'
import { addModelFromUrl, type AddFromUrlOptions } from '../../../src/inference/models/add-from-url.ts'
import { digestOf } from '../../../src/inference/weights/digest.ts'
import { tinyArchitecture } from '../tiny-architecture.ts'
import { checkpointOf } from '../weights/torch-file.ts'
import { serveFile } from './download/file-server.ts'
import { temporaryFolder } from './model-folder.ts'

const checkpoint = checkpointOf(randomWeights(tinyArchitecture, 1))

async function options(changes: Partial<AddFromUrlOptions> = {}): Promise<AddFromUrlOptions> {
  const modelsDir = await temporaryFolder()
  return { modelsDir, name: 'net', license: 'MIT', retryDelayMs: 1, ...changes }
}

test('a checkpoint at an address becomes a model that says where it is from, and the download is gone', async () => {
  const { url } = await serveFile({ bytes: checkpoint })
  const sha256 = digestOf(checkpoint)
  const settings = await options({ sha256 })
  const { manifest } = await addModelFromUrl(`${url}?download=true`, settings)
  expect(manifest.source).toEqual({ name: url, sha256 })
  expect((await readdir(settings.modelsDir)).toSorted()).toEqual(['.downloads', 'net'])
  expect(await readdir(`${settings.modelsDir}/.downloads`)).toEqual([])
})

test('a file with another digest is named with both, removed, and does not become a model', async () => {
  const { url } = await serveFile({ bytes: checkpoint })
  const settings = await options({ sha256: 'ab'.repeat(32) })
  await expect(addModelFromUrl(url, settings)).rejects.toThrow(
    `${url} has SHA-256 ${digestOf(checkpoint)}, expected was ${'ab'.repeat(32)}`
  )
  expect(await readdir(settings.modelsDir)).toEqual(['.downloads'])
  expect(await readdir(`${settings.modelsDir}/.downloads`)).toEqual([])
})

test('a name that is taken is refused before anything is fetched', async () => {
  const { url, requests } = await serveFile({ bytes: checkpoint })
  const settings = await options()
  await addModelFromUrl(url, settings)
  await expect(addModelFromUrl(url, settings)).rejects.toThrow(/net exists; choose another name/)
  expect(requests.length).toBe(1)
})

test.each([
  ['ftp://host/net.pth', /ftp:\/\/host\/net\.pth is no address to download from; give http:\/\/, https:\/\/ or a path/],
  ['https://', /https:\/\/ is no address/],
  ['https://me:word@host/net.pth', /^host: an address cannot hold a password/]
])('%s is refused as an address', async (url, message) => {
  const failure = addModelFromUrl(url, await options())
  await expect(failure).rejects.toThrow(message)
  await expect(failure).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
})
