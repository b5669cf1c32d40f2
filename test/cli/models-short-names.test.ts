import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { randomWeights } from '../../bench/random-weights.ts'
import { publishedFile, shortNames } from '../../src/cli/short-names.ts'
import { officialCheckpoint, officialTitle } from '../../src/cli/official-checkpoints.ts'
import { digestOf } from '../../src/inference/weights/digest.ts'
import { serve, serveFile } from '../inference/models/download/file-server.ts'
import { temporaryFolder } from '../inference/models/model-folder.ts'
import { tinyArchitecture } from '../inference/tiny-architecture.ts'
import { checkpointOf } from '../inference/weights/torch-file.ts'
import { parse } from './parse.ts'

const sized = {
  ...{ ...tinyArchitecture, embedDim: 384, encoderHeads: 6, blocks: 12, taps: [2, 5, 8, 11] },
  ...{ mlpRatio: 1, features: 64 }
}
const video = checkpointOf(randomWeights(sized, 1))
const sha256 = digestOf(video)

async function ownLibrary(): Promise<string> {
  const folder = await temporaryFolder()
  vi.stubEnv('LEADLINE_MODELS_DIR', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  return folder
}

test('every short name is that of a file that anybody may use', () => {
  expect(shortNames).toContain('vda-small')
  for (const name of shortNames) {
    const url = publishedFile(name)?.url ?? ''
    expect(officialCheckpoint(path.parse(url).name)).toMatchObject({ license: 'Apache-2.0' })
    expect(url).toMatch(
      /^https:\/\/huggingface\.co\/depth-anything\/[\w-]+-Small\/resolve\/main\/\w+_vits\.pth$/
    )
  }
})

test('only the published bytes are called as their authors call them', () => {
  const official = officialCheckpoint('video_depth_anything_vits')!
  const found = { architecture: sized, sha256: publishedFile('vda-small')?.sha256 ?? '' }
  expect(officialTitle('video_depth_anything_vits', official, found)).toBe('Video Depth Anything Small')
  expect(officialTitle('video_depth_anything_vits', official, { ...found, sha256 })).toBe(
    'Video Depth Anything Small, not the published file'
  )
})

test('a short name is added under itself, from a mirror too, and the next command is told', async () => {
  const folder = await ownLibrary()
  const { url } = await serveFile({ bytes: video })
  const added = await parse(['models', 'add', 'da2-outdoor-small', '--from', url, '--sha256', sha256])
  expect(added.exitCode).toBe(0)
  expect(added.stdout).toContain(`Added da2-outdoor-small: ${path.join(folder, 'da2-outdoor-small')}\n`)
  expect(added.stdout).toMatch(/\nServe it: leadline serve --model da2-outdoor-small\n$/)
  expect((await parse(['models', 'list'])).stdout).toMatch(
    /^da2-outdoor-small {2}Apache-2\.0 .* Depth Anything V2 Metric Outdoor Small, in metres$/m
  )
})

test('a download that was cut goes on where it broke, by the same command', async () => {
  await ownLibrary()
  const cutAt = 100_000
  const server = await serveFile({ bytes: video, holdAfter: (index) => (index === 0 ? cutAt : null) })
  const adding = parse(['models', 'add', 'vda-small', '--from', server.url, '--sha256', sha256])
  await vi.waitFor(() => expect(server.requests).toHaveLength(1), { timeout: 60_000 })
  server.cut()
  expect(await adding).toMatchObject({ exitCode: 0 })
  const ranges = server.requests.map(({ range }) => range)
  expect(ranges[0]).toBeUndefined()
  expect(ranges.at(-1)).toMatch(/^bytes=\d+-$/)
})

test('another file than the published one is refused, and nothing of it is kept', async () => {
  await ownLibrary()
  const { url, requests } = await serveFile({ bytes: video })
  for (const times of [1, 2]) {
    const refused = await parse(['models', 'add', 'vda-small', '--from', url])
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain(
      `has SHA-256 ${sha256}, expected was ${publishedFile('vda-small')?.sha256}`
    )
    // From its beginning each time.
    expect(requests.map(({ range }) => range)).toEqual(Array.from({ length: times }))
  }
  expect((await parse(['models', 'list'])).stdout).not.toContain('vda-small')
})

test('a mirror without the file, and one that cannot be reached, name the address and what helps', async () => {
  await ownLibrary()
  const url = await serve((_request, response) => void response.writeHead(404).end())
  expect((await parse(['models', 'add', 'vda-small', '--from', `${url}/a.pth`])).stderr).toBe(
    `leadline: ${url}/a.pth answered 404; there is no such file, check the address\n`
  )
  const offline = await parse(['models', 'add', 'vda-small', '--from', 'http://nowhere.invalid/a.pth'])
  expect(offline.exitCode).toBe(1)
  expect(offline.stderr).toMatch(
    new RegExp(
      '^leadline: http://nowhere\\.invalid/a\\.pth could not be downloaded: .*; check the address and the network, ' +
        'or download it otherwise and add the path\n$'
    )
  )
})

test('--from without a short name is refused, and so is a name that is none', async () => {
  await ownLibrary()
  expect((await parse(['models', 'add', 'net.pth', '--from', 'http://host/net.pth'])).stderr).toMatch(
    /--from goes with a short name: vda-small, /
  )
  expect((await parse(['models', 'add', 'vda-large', '--license', 'MIT'])).stderr).toMatch(
    /There is no file vda-large/
  )
})
