import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { onTestFinished, expect, test, vi } from 'vitest'
import { randomWeights } from '../../bench/random-weights.ts'
import { digestOf } from '../../src/inference/weights/digest.ts'
import type { Manifest } from '../../src/manifest.ts'
import { serve, serveFile } from '../inference/models/download/file-server.ts'
import { temporaryFolder } from '../inference/models/model-folder.ts'
import { tinyArchitecture } from '../inference/tiny-architecture.ts'
import { checkpointOf, global, opcode, zipPickle } from '../inference/weights/torch-file.ts'
import { parse } from './parse.ts'

const video = checkpointOf(randomWeights(tinyArchitecture, 1))
/** Of the size that official names stand for, and thin wherever that does not count. */
const sized = {
  ...tinyArchitecture,
  embedDim: 384,
  encoderHeads: 6,
  blocks: 12,
  taps: [2, 5, 8, 11],
  mlpRatio: 1,
  features: 64
}
const sizedVideo = checkpointOf(randomWeights(sized, 1))
const sizedImage = checkpointOf(
  new Map(
    [...randomWeights({ ...sized, motionModules: false }, 1)].map(([name, tensor]) => [
      name.replace(/^head\./, 'depth_head.'),
      tensor
    ])
  )
)

interface Place {
  /** The file that is written. */
  file: string
  manifestOf(name: string): Promise<Manifest>
}

/** A library of one's own, and a file beside it. */
async function place(fileName: string, bytes: Uint8Array | string): Promise<Place> {
  const folder = await temporaryFolder()
  const modelsDir = path.join(folder, 'models')
  vi.stubEnv('LEADLINE_MODELS_DIR', modelsDir)
  onTestFinished(() => void vi.unstubAllEnvs())
  const file = path.join(folder, fileName)
  await writeFile(file, bytes)
  const manifestOf = async (name: string) =>
    JSON.parse(await readFile(path.join(modelsDir, name, 'manifest.json'), 'utf8')) as Manifest
  return { file, manifestOf }
}

test('an official checkpoint brings licence, title and quantity by its name', async () => {
  const { file, manifestOf } = await place('metric_video_depth_anything_vits.pth', sizedVideo)
  const added = await parse(['models', 'add', file])
  expect(added.stdout).toMatch(
    /^Added metric_video_depth_anything_vits: .*\nIt gives metres: larger is farther\.\n$/
  )
  expect(await manifestOf('metric_video_depth_anything_vits')).toMatchObject({
    title: 'Metric Video Depth Anything Small, not the published file',
    license: 'Apache-2.0',
    nonCommercial: false,
    quantity: 'metric-depth',
    weights: { dtype: 'float16' }
  })
  expect((await parse(['models', 'list'])).stdout).toMatch(
    /^metric_video_depth_anything_vits {2}Apache-2\.0 {2}windows .* Metric Video Depth Anything Small, not the published file, in metres$/m
  )
})

test('Depth Anything V2 sees single frames, and streams when asked to', async () => {
  const { file, manifestOf } = await place('depth_anything_v2_vits.pth', sizedImage)
  expect((await parse(['models', 'add', file])).stdout).toMatch(/It sees each frame alone: .*--streaming/)
  expect((await manifestOf('depth_anything_v2_vits')).temporal.modes).toEqual(['single'])
  expect((await parse(['models', 'list'])).stdout).toMatch(
    /^depth_anything_v2_vits {2}Apache-2\.0 {2}single frames /m
  )
  await parse(['models', 'add', file, '--streaming', '--name', 'start', '--dtype', 'fp32'])
  expect(await manifestOf('start')).toMatchObject({
    temporal: { modes: expect.arrayContaining(['ovda']) as string[] },
    weights: { dtype: 'float32' }
  })
})

test('a metric image checkpoint brings the range of its sigmoid; another can be given it', async () => {
  const { file, manifestOf } = await place('depth_anything_v2_metric_vkitti_vits.pth', sizedImage)
  await parse(['models', 'add', file])
  await parse(['models', 'add', file, '--name', 'other', '--max-depth', '12.5', '--license', 'MIT'])
  const [official, other] = [
    await manifestOf('depth_anything_v2_metric_vkitti_vits'),
    await manifestOf('other')
  ]
  // No digest of that one was found published.
  expect(official).toMatchObject({
    ...{ title: 'Depth Anything V2 Metric Outdoor Small', quantity: 'metric-depth' },
    architecture: { maxDepthMetres: 80 }
  })
  expect(other).toMatchObject({ quantity: 'metric-depth', architecture: { maxDepthMetres: 12.5 } })
})

test('a licence that forbids commercial use is asked for before the file is even looked at', async () => {
  const { file, manifestOf } = await place('net.pth', video)
  const refused = await parse(['models', 'add', 'https://127.0.0.2/video_depth_anything_vitl.pth'])
  expect(refused).toMatchObject({
    exitCode: 1,
    stderr:
      'leadline: video_depth_anything_vitl is under CC-BY-NC-4.0, which forbids commercial use; if yours is permitted, add it with --noncommercial\n'
  })
  const added = await parse(['models', 'add', file, '--license', 'CC-BY-NC-4.0', '--noncommercial'])
  expect(added.stdout).toMatch(
    /forbids commercial use: it is served with LEADLINE_ALLOW_NONCOMMERCIAL=true only/
  )
  expect((await manifestOf('net')).nonCommercial).toBe(true)
  expect((await parse(['models', 'list'])).stdout).toMatch(/^net .*not served/m)
})

test('a network of another size is not taken for the official one whose name its file has', async () => {
  const { file } = await place('video_depth_anything_vits.pth', video)
  const { exitCode, stderr } = await parse(['models', 'add', file])
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr:
      'leadline: video_depth_anything_vits is the name of Video Depth Anything Small, and the file holds another network ' +
      '(6 blocks of 64 channels, not 12 of 384); rename the file, and say its licence with --license\n'
  })
  expect((await parse(['models', 'list'])).stdout).not.toContain('video_depth_anything_vits')
})

test('a file of unknown origin needs a licence', async () => {
  const { file } = await place('net.pth', video)
  const { exitCode, stderr } = await parse(['models', 'add', file])
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr:
      'leadline: net does not say under which licence it is; give it with --license, for example --license Apache-2.0\n'
  })
})

test('an address is downloaded, added, and its digest told, to be asked for the next time', async () => {
  const { manifestOf } = await place('unused', '')
  const { url } = await serveFile({ bytes: video })
  const sha256 = digestOf(video)
  const command = ['models', 'add', `${url}?download=true`, '--license', 'MIT']
  const added = await parse(command)
  expect(added).toMatchObject({ exitCode: 0, stderr: '' })
  expect(added.stdout).toContain(`Its SHA-256 was ${sha256}; give it with --sha256`)
  expect((await manifestOf('net')).source).toEqual({ name: url, sha256 })
  const again = await parse([...command, '--name', 'again', '--sha256', sha256.toUpperCase()])
  expect(again.stdout).not.toContain('SHA-256')
  const wrong = await parse([...command, '--name', 'wrong', '--sha256', '0'.repeat(64)])
  expect(wrong).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`has SHA-256 ${sha256}, expected`) as string
  })
})

const registers = { shape: [1, 4, 64], data: new Float32Array(256) }

test.each([
  ['a web page', '<!doctype html>', /net\.pth \(15 bytes\) is a web page/],
  [
    'a file cut short',
    video.subarray(0, 5000),
    /begins as a zip file and does not end as one: it was cut short; get it again/
  ],
  [
    'a pickle with code',
    zipPickle(Buffer.concat([opcode(0x80, 2), global('os', 'system')])),
    /global os\.system/
  ],
  [
    'another network',
    checkpointOf(new Map([['backbone.embeddings.cls_token', registers]])),
    /lacks 'pretrained\.pos_embed' and begins with 'backbone\.embeddings\.cls_token'; what can be added is Video/
  ],
  [
    'a network with more in it',
    checkpointOf(new Map([...randomWeights(tinyArchitecture, 1), ['pretrained.register_tokens', registers]])),
    /has an unexpected 'pretrained\.register_tokens' of shape \[1, 4, 64\]/
  ]
])('%s is refused in one line that names the file', async (_title, bytes, message) => {
  const { file } = await place('net.pth', bytes)
  const { exitCode, stderr, stdout } = await parse(['models', 'add', file, '--license', 'MIT'])
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(stderr).toMatch(message)
  expect(stderr).toContain(`leadline: ${file}`)
  expect(stderr.trim().split('\n').length).toBe(1)
})

test.each([
  ['a wrong path', 'nowhere.pth', /There is no file nowhere\.pth; check the path/],
  ['a protocol that is none', 'ftp://host/net.pth', /ftp:\/\/host\/net\.pth is no address to download from/],
  [
    'the first Depth Anything',
    'depth_anything_vits14.pth',
    /first Depth Anything, which is wired differently/
  ],
  ['a name that is none', '.pth', /"\.pth" cannot be the name of a model.*choose one with --name/]
])('%s is refused', async (_title, source, message) => {
  await place('unused', '')
  const { exitCode, stderr } = await parse(['models', 'add', source, '--license', 'MIT'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(message) as string })
})

test('a folder is refused', async () => {
  const { file } = await place('unused', '')
  const folder = path.join(path.dirname(file), 'net.pth')
  await mkdir(folder)
  const { stderr } = await parse(['models', 'add', folder, '--license', 'MIT'])
  expect(stderr).toContain(`${folder} is a folder; give the checkpoint file in it`)
})

test('an address that is not there is refused', async () => {
  await place('unused', '')
  const url = await serve((_request, response) => void response.writeHead(404).end())
  const { stderr } = await parse(['models', 'add', `${url}/net.pth`, '--license', 'MIT'])
  expect(stderr).toBe(`leadline: ${url}/net.pth answered 404; there is no such file, check the address\n`)
})

test.each([
  [['--sha256', 'abc'], /It must be 64 hexadecimal digits/],
  [['--dtype', 'int8'], /Allowed choices are fp16, fp32/],
  [['--max-depth', '0'], /It must be a number above 0/]
])('%j is wrong usage', async (flags, message) => {
  const { exitCode, stderr } = await parse(['models', 'add', 'net.pth', ...flags])
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) as string })
})

test('a folder of models that is not there to be written is named with its setting', async () => {
  const { file } = await place('net.pth', video)
  vi.stubEnv('LEADLINE_MODELS_DIR', '/dev/null/models')
  expect((await parse(['models', 'add', file, '--license', 'MIT'])).stderr).toMatch(
    /\/dev\/null\/models cannot be written: .*ENOTDIR.* set LEADLINE_MODELS_DIR/
  )
  vi.stubEnv('LEADLINE_MODELS_DIR', '')
  vi.stubEnv('HOME', '')
  vi.stubEnv('XDG_DATA_HOME', '')
  expect((await parse(['models', 'add', file, '--license', 'MIT'])).stderr).toMatch(
    /no home folder.*set LEADLINE_MODELS_DIR/
  )
})

test.each([
  ['README.md', '# A model', /is neither a PyTorch state dict \(.pth\) nor .safetensors/],
  ['video_depth_anything_vitl.pth', '<!doctype html>', /is a web page/]
])('what is no checkpoint is told from one before a licence is asked for: %s', async (name, bytes, says) => {
  const { file } = await place(name, bytes)
  const { exitCode, stderr } = await parse(['models', 'add', file])
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(says) as string })
})
