import { readFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { unzipSync } from 'fflate'
import { validateBytes } from 'gltf-validator'
import { expect, test, vi } from 'vitest'
import { identity } from '../../src/maps/affine-map.ts'
import { colorTable, displayEnds } from '../../src/maps/colormap.ts'
import type { DepthFileMap } from '../../src/depth-files/index.ts'
import { createDepthFile, depthOutputNameOf, depthFileNames, renderMap } from '../../src/depth-files/index.ts'
import type { Quantity } from '../../src/wire/frame.ts'
import { decodeMessage } from '../../src/wire/frame.ts'
import { outputOptions } from '../../src/wire/output.ts'
import { encodeDepth } from '../../src/inference/pixels/postprocess.ts'
import { createGrayVideoWriter } from '../../src/video/index.ts'
import { run, temporaryFolder } from '../video/clip-file.ts'

// What reads the files is started and imported, beside whatever else runs.
vi.setConfig({ testTimeout: 120_000 })

const root = path.resolve(import.meta.dirname, '../..')
/** Where pip has put the readers of pyproject.toml; null where there is no package index. */
const python = await run('bash', ['scripts/python-env.sh', 'test/depth-files'], { cwd: root }).then(
  ({ stdout }) => stdout.trim(),
  () => null
)

const size = { width: 21, height: 18 }
const source = { width: 42, height: 36, fps: 10 }

/** Nothing in it is like itself turned or mirrored: nearer to the right, and more so below. */
function valuesOf(index: number, quantity: Quantity): Float32Array {
  return Float32Array.from({ length: size.width * size.height }, (_, i) => {
    const [x, y] = [i % size.width, Math.floor(i / size.width)]
    const near = 0.25 + x / 10 + (y * y) / 90 + index
    return quantity === 'metric-depth' ? 9 - near : near
  })
}

/** Red to the right, green below. */
const picture = Uint8Array.from({ length: source.width * source.height * 3 }, (_, i) => {
  const pixel = Math.floor(i / 3)
  return [(pixel % source.width) * 6, Math.floor(pixel / source.width) * 7, 40][i % 3]!
})

function mapOf(index: number, quantity: Quantity): DepthFileMap {
  const depth = valuesOf(index, quantity)
  const [min, max] = [Math.min(...depth), Math.max(...depth)]
  const ends = displayEnds({ min, max }, quantity)
  const timestampUs = index * 100_000
  return {
    ...renderMap({
      ...{ depth, size, to: size, picture: null },
      ...{ colors: { ends, table: colorTable('turbo') }, levels: { min, max } }
    }),
    levels: { scale: (max - min) / 65_535, offset: min },
    exact: { scale: 1, offset: 0, array: { type: '<f4', values: depth } },
    ...{ ends, epoch: index + 1, timestampUs, frame: { ...source, rgb: picture, timestampUs } }
  }
}

/** Every file of two maps, as `walk`, the archives unpacked, and the image that a server answers with. */
async function writeAll(quantity: Quantity): Promise<string> {
  const folder = await temporaryFolder()
  const camera = { fovDegrees: 90 }
  for (const name of [...depthFileNames, 'f32', 'f16', 'png16'] as const) {
    const filePath = path.join(folder, name === 'png16' ? 'pictures/' : `walk.${name}`)
    const file = await createDepthFile(name, { path: filePath, size, source, quantity, camera })
    for (const index of [0, 1]) await file.write(mapOf(index, quantity))
    await file.close()
    const [, archive] = /^([\w-]+)\.zip$/.exec(name) ?? []
    if (archive === undefined) continue
    await mkdir(path.join(folder, archive))
    for (const [entry, bytes] of Object.entries(unzipSync(await readFile(filePath))))
      await writeFile(path.join(folder, archive, entry), bytes)
  }
  await writeFile(path.join(folder, 'depth.png'), await answerOf(quantity))
  return folder
}

async function answerOf(quantity: Quantity): Promise<Uint8Array> {
  const depth = valuesOf(0, quantity)
  const range = { min: Math.min(...depth), max: Math.max(...depth) }
  const message = await encodeDepth(
    { depth, size, source: size, guide: null, affine: identity, range, display: range },
    { flags: 0, seq: 0, timestampUs: 0, epoch: 1, quantity, queueUs: 0, computeUs: 0 },
    outputOptions({ format: 'png16' })
  )
  return decodeMessage(message).payload
}

interface Found {
  shape: number[]
  values: number[]
  points?: number[]
}

interface Reading extends Record<string, unknown> {
  quantity: string
  ply: { comments: string[]; colors: number[] }
  maps: Record<'turbo' | 'inferno' | 'magma', number[]>
}

async function read(folder: string): Promise<Reading> {
  const script = path.join(import.meta.dirname, 'read_outputs.py')
  const { stdout } = await run(python!, [script, path.join(root, 'docs/outputs.md'), folder], {
    maxBuffer: 2 ** 26
  })
  return JSON.parse(stdout) as Reading
}

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (value, i) => Math.abs(value - b[i]!)).reduce((most, one) => Math.max(most, one), 0)

test.skipIf(python === null).each(['relative-inverse-depth', 'metric-depth'] as const)(
  'the snippets of the docs give the values of %s back, within half a step, and the signs that the docs tell',
  async (quantity) => {
    const folder = await writeAll(quantity)
    const found = await read(folder)
    const first = valuesOf(0, quantity)
    const both = [...first, ...valuesOf(1, quantity)]
    const halfStep = (Math.max(...first) - Math.min(...first)) / 65_535 / 2 + 1e-6
    const of = (name: string) => found[name] as Found
    for (const [name, wanted, error] of [
      ['npz', both, 0],
      ['png16.zip', first, halfStep],
      ['png16', first, halfStep],
      ['png16 folder', first, halfStep],
      ['f32', both, 0],
      ['f16', both, 2 ** -11 * Math.max(...both)],
      ['depth.mkv', both, halfStep],
      ['exr.zip', first, 0],
      ['exr-half.zip', first, 2 ** -11 * Math.max(...first)],
      ['ply.zip', first, 0],
      ['glb.zip', first, 0]
    ] as const) {
      expect(of(name).values, name).toHaveLength(wanted.length)
      expect(furthest(of(name).values, wanted), name).toBeLessThanOrEqual(error)
    }
    expect(of('npz').shape).toEqual([2, size.height, size.width])
    expect(of('exr.zip').shape).toEqual([size.height, size.width])
    expect(found['exr channels']).toEqual({ exr: { Z: 'float32' }, 'exr-half': { Z: 'float16' } })
    const unit = quantity === 'metric-depth' ? 'metre' : 'none'
    expect(found['exr header']).toEqual({ quantity, unit, time: '0', epoch: '1' })
    expect(found.quantity).toBe(quantity)
    expect(found.ply.comments).toContain(`depth: ${quantity}, unit ${unit}`)

    // Of a camera with 90 degrees the picture's edge lies as far to the side as it lies ahead.
    const points = of('ply.zip').points!
    const at = (x: number, y: number) => points.slice(3 * (y * size.width + x)).slice(0, 3)
    const [x = 0, y = 0, z = 0] = at(0, 0)
    expect([x / z, y / z]).toEqual([expect.closeTo(-20 / 21, 5), expect.closeTo(-17 / 21, 5)])
    const [right = 0, low = 0, ahead = 0] = at(20, 17)
    expect([right / ahead, low / ahead]).toEqual([expect.closeTo(20 / 21, 5), expect.closeTo(17 / 21, 5)])
    const ends = quantity === 'metric-depth' ? [first[0], first.at(-1)] : [4, 1]
    expect([z, ahead]).toEqual(ends.map((end) => expect.closeTo(end!, 5)))
    // The same points, with y and z the other way round, are right-handed too.
    const turned = points.map((value, i) => (i % 3 === 0 ? value : -value))
    expect(furthest(of('glb.zip').points!, turned)).toBe(0)
    // Those of OpenCV are the published ones, cut off or rounded to 8 bits.
    for (const [name, wanted] of Object.entries(found.maps))
      expect(furthest(colorTable(name as keyof Reading['maps']), wanted), name).toBeLessThanOrEqual(1)
    const color = found.ply.colors.slice(3 * (17 * size.width + 20)).slice(0, 3)
    expect(color).toEqual([...picture.subarray(3 * (35 * 42 + 41)).subarray(0, 3)])
  }
)

test('every point cloud is a glTF without fault or warning', async () => {
  const filePath = path.join(await temporaryFolder(), 'walk.glb.zip')
  const quantity = 'relative-inverse-depth'
  const camera = { fx: 40, fy: 41, cx: 20, cy: 18 }
  const file = await createDepthFile('glb.zip', { path: filePath, size, source, quantity, camera })
  await file.write(mapOf(1, quantity))
  await file.close()
  const { issues } = await validateBytes(unzipSync(await readFile(filePath))['000000.glb']!)
  expect(issues.messages).toEqual([])
})

test.each([
  ['out/walk.npz', 'npz'],
  ['walk.PNG16.zip', 'png16.zip'],
  ['walk.exr-half.zip', 'exr-half.zip'],
  ['walk.mp4', 'depth.mp4'],
  ['walk.side-by-side.mp4', 'side-by-side.mp4'],
  ['walk.side-by-side-half.mp4', 'side-by-side-half.mp4'],
  ['walk.mkv', 'depth.mkv'],
  ['npz', 'npz'],
  ['walk.zip', null],
  ['out/walk.f32', 'f32'],
  ['walk.F16', 'f16'],
  ['out/walk/', 'png16'],
  ['walk.exr', null],
  ['f32x', null],
  ['mynpz', null]
])('a file called %s is written as %s', (filePath, name) => {
  expect(depthOutputNameOf(filePath)).toBe(name)
})

test.each([
  [1, 1],
  [3, 2],
  [2, 9],
  [17, 33]
])('a lossless video of %ix%i, smaller than its encoder likes, has every value', async (width, height) => {
  const filePath = path.join(await temporaryFolder(), 'a.mkv')
  const video = await createGrayVideoWriter(filePath, { width, height, fps: 10 })
  const gray = Uint16Array.from({ length: width * height }, (_, i) => (i * 40_503) % 65_536)
  await video.write(gray, 0)
  await video.write(gray.toReversed(), 100_000)
  await video.close({ A: 'b=c;#\\ d' })
  const args = ['-v', 'error', '-i', filePath, '-f', 'rawvideo', '-pix_fmt', 'gray16le', '-']
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer' })
  expect([...new Uint16Array(new Uint8Array(stdout).buffer)]).toEqual([...gray, ...gray.toReversed()])
  const probed = await run('ffprobe', [
    '-v',
    'error',
    '-show_entries',
    'format_tags=A',
    '-of',
    'json',
    filePath
  ])
  expect(probed.stdout).toContain(JSON.stringify('b=c;#\\ d'))
})
