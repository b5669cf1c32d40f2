import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { listRgbd, readDepthTruth } from '../../src/cli/eval/rgbd-folder.ts'
import { temporaryFolder } from '../video/clip-file.ts'

async function writeDepth(file: string, values: number[]): Promise<void> {
  const raw = { width: values.length, height: 1, channels: 1 } as const
  await sharp(Uint16Array.from(values), { raw }).toColourspace('grey16').png().toFile(file)
}

async function sequence(names: string[]): Promise<string> {
  const folder = await temporaryFolder()
  for (const part of ['color', 'depth']) await mkdir(path.join(folder, part))
  for (const name of names) {
    await writeFile(path.join(folder, 'color', `${name}.jpg`), '')
    await writeDepth(path.join(folder, 'depth', `${name}.png`), [1])
  }
  return folder
}

test('pictures and depth are paired by name, in order', async () => {
  const folder = await sequence(['b', 'a', 'c'])
  await writeFile(path.join(folder, 'color', 'notes.txt'), '')
  expect((await listRgbd(folder)).map(({ name, depthPath }) => [name, path.basename(depthPath)])).toEqual([
    ['a', 'a.png'],
    ['b', 'b.png'],
    ['c', 'c.png']
  ])
})

test('depth is read to the millimetre', async () => {
  const file = path.join(await temporaryFolder(), 'd.png')
  const values = [0, 1, 255, 256, 32_768, 65_535]
  await writeDepth(file, values)
  const { width, height, truthMm } = await readDepthTruth(file)
  expect([width, height, [...truthMm]]).toEqual([6, 1, values])
})

test('a folder laid out otherwise is refused by name', async () => {
  const folder = await sequence(['a'])
  await rm(path.join(folder, 'depth', 'a.png'))
  await writeDepth(path.join(folder, 'depth', 'z.png'), [1])
  await expect(listRgbd(folder)).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: expect.stringContaining('a.jpg has no depth/a.png') as string
  })
  await rm(path.join(folder, 'color', 'a.jpg'))
  await expect(listRgbd(folder)).rejects.toThrow(/holds no pictures/)
  await expect(listRgbd(path.join(folder, 'absent'))).rejects.toThrow(/needs folders color\/ and depth\//)
})

test('8-bit and colour pictures are no depth', async () => {
  const file = path.join(await temporaryFolder(), 'd.png')
  await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toFile(file)
  await expect(readDepthTruth(file)).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: expect.stringContaining('3 x uchar') as string
  })
  await writeFile(file, 'nonsense')
  await expect(readDepthTruth(file)).rejects.toThrow(/is not an image/)
})
