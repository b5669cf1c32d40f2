import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { readDepthPng, withoutBorder } from '../../../src/cli/eval/datasets/depth-png.ts'
import { readPlain } from '../../../src/cli/eval/datasets/plain.ts'
import { temporaryFolder } from '../../video/clip-file.ts'
import { writeData, writeDepth } from './dataset-files.ts'

const rules = { unitsPerMetre: 1000, maxDepthM: 80 }
const identity = '1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n'

async function sequence(names: string[], folder?: string): Promise<string> {
  const root = folder ?? (await temporaryFolder())
  for (const name of names) {
    await writeData(path.join(root, 'color', `${name}.jpg`))
    await writeDepth(path.join(root, 'depth', `${name}.png`), [0, 1500])
  }
  return root
}

test('pictures and depth are paired by name, in the order of their numbers', async () => {
  const folder = await sequence(['10', '9', '100'])
  await writeData(path.join(folder, 'color', 'notes.txt'))
  const [found, ...others] = await readPlain(folder)
  expect(others).toEqual([])
  expect(found?.frames.map(({ name, camera }) => [name, camera])).toEqual([
    ['9', null],
    ['10', null],
    ['100', null]
  ])
  expect(await found?.frames[0]?.readTruth()).toEqual({
    width: 2,
    height: 1,
    depthM: Float32Array.of(0, 1.5)
  })
})

test('a folder of sequences gives them all, by name', async () => {
  const folder = await temporaryFolder()
  for (const name of ['b', 'a']) await sequence(['0'], path.join(folder, name))
  await writeData(path.join(folder, 'readme.txt'))
  expect((await readPlain(folder)).map(({ name, frames }) => [name, frames.length])).toEqual([
    ['a', 1],
    ['b', 1]
  ])
})

test('poses come with intrinsics, and a frame without a pose has no camera', async () => {
  const folder = await sequence(['0', '1'])
  await writeData(path.join(folder, 'pose', '1.txt'), identity)
  await expect(readPlain(folder)).rejects.toThrow(/intrinsics\.txt cannot be read; .*3 x 3 or 4 x 4/)
  await writeData(path.join(folder, 'intrinsics.txt'), '500 0 320\n0 510 240\n0 0 1\n')
  const frames = (await readPlain(folder))[0]?.frames
  expect(frames?.[0]?.camera).toBeNull()
  expect(frames?.[1]?.camera).toMatchObject({ fx: 500, fy: 510, cx: 320, cy: 240 })
  await writeData(path.join(folder, 'pose', '1.txt'), '1 2 3')
  await expect(readPlain(folder)).rejects.toThrow(/1\.txt has 3 numbers, not 16/)
})

test('depth is read to the unit, and what is out of range is unknown', async () => {
  const file = path.join(await temporaryFolder(), 'd.png')
  await writeDepth(file, [0, 1, 256, 32_768, 65_535])
  expect(await readDepthPng(file, rules)).toEqual({
    width: 5,
    height: 1,
    depthM: Float32Array.of(0, 0.001, 0.256, 32.768, 65.535)
  })
  const near = await readDepthPng(file, { unitsPerMetre: 256, maxDepthM: 128 })
  expect([...near.depthM]).toEqual([0, 1 / 256, 1, 0, 0])
})

test('a folder laid out otherwise is refused by name, with what it needs', async () => {
  const folder = await sequence(['a'])
  await rm(path.join(folder, 'depth', 'a.png'))
  await expect(readPlain(folder)).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: expect.stringMatching(/a\.jpg has no .*depth\/a\.png; the data needs color\/NAME\.jpg/) as string
  })
  await rm(path.join(folder, 'color', 'a.jpg'))
  await expect(readPlain(folder)).rejects.toThrow(/color holds no file like/)
  await expect(readPlain(path.join(folder, 'absent'))).rejects.toThrow(/absent.color cannot be read/)
})

test('8-bit and colour pictures are no depth', async () => {
  const file = path.join(await temporaryFolder(), 'd.png')
  await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toFile(file)
  await expect(readDepthPng(file, rules)).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: expect.stringContaining('3 x uchar') as string
  })
  await writeFile(file, 'nonsense')
  await expect(readDepthPng(file, rules)).rejects.toThrow(/is not an image/)
})

test('the border is cut off at each side, in place', () => {
  const truth = { width: 5, height: 4, depthM: new Float32Array(20).fill(1) }
  expect([...withoutBorder(truth, { rows: 1, columns: 2 }).depthM]).toEqual([
    ...[0, 0, 0, 0, 0],
    ...[0, 0, 1, 0, 0],
    ...[0, 0, 1, 0, 0],
    ...[0, 0, 0, 0, 0]
  ])
})
