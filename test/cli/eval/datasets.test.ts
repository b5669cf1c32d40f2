import { rm } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Layout } from '../../../src/cli/eval/datasets/layout.ts'
import { detectLayout, readDataset } from '../../../src/cli/eval/datasets/layout.ts'
import type { RgbdSequence } from '../../../src/cli/eval/datasets/sequence.ts'
import { temporaryFolder } from '../../video/clip-file.ts'
import { cam, dpt, writeData, writeDepth } from './dataset-files.ts'

const quarterTurn = [0, -1, 0, 0.5, 1, 0, 0, 1, 0, 0, 1, 2, 0, 0, 0, 1]

async function sintel(root: string): Promise<void> {
  for (const pass of ['clean', 'final']) {
    for (const n of [1, 2]) await writeData(path.join(root, 'training', pass, 'alley_1', `frame_000${n}.png`))
  }
  for (const n of [1, 2]) {
    const file = (kind: string, end: string) =>
      path.join(root, 'training', kind, 'alley_1', `frame_000${n}.${end}`)
    await writeData(file('depth', 'dpt'), dpt([2.5, 1e10, NaN, Infinity, 0, 70, 69.5]))
    // World to camera: the inverse of a quarter turn about z at (0.5, 1, 2).
    await writeData(
      file('camdata_left', 'cam'),
      cam([1120, 0, 511.5, 0, 1121, 217.5, 0, 0, 1], [0, 1, 0, -1, -1, 0, 0, 0.5, 0, 0, 1, -2])
    )
  }
}

const drive = '2011_09_26_drive_0002_sync'
const kittiDepth = path.join('val', drive, 'proj_depth', 'groundtruth', 'image_02')

async function kitti(root: string): Promise<void> {
  for (const n of [3, 5, 6])
    await writeData(path.join(root, 'raw', '2011_09_26', drive, 'image_02', 'data', `000000000${n}.png`))
  for (const n of [5, 6]) {
    await writeDepth(path.join(root, kittiDepth, `000000000${n}.png`), [0, 256, 20_480, 20_479])
  }
}

async function bonn(root: string): Promise<void> {
  const folder = path.join(root, 'rgbd_bonn_box')
  const list = (kind: string, times: string[]) =>
    writeData(
      path.join(folder, `${kind}.txt`),
      `# ${kind} maps\n${times.map((t) => `${t} ${kind}/${t}.png\n`).join('')}`
    )
  await list('rgb', ['10.000', '10.033', '10.066'])
  await list('depth', ['10.005', '10.040', '10.100'])
  await writeDepth(path.join(folder, 'depth', '10.005.png'), [0, 5000, 49_999, 50_000])
  await writeData(path.join(folder, 'groundtruth.txt'), '# t\n10.001 1 2 3 0 0 0 1\n10.500 0 0 0 0 0 0 1\n')
}

async function scannet(root: string): Promise<void> {
  const folder = path.join(root, 'scene0707_00')
  await writeData(
    path.join(folder, 'intrinsic', 'intrinsic_depth.txt'),
    '571 0 319 0\n0 572 239 0\n0 0 1 0\n0 0 0 1\n'
  )
  const width = 24
  for (const n of [2, 10]) {
    await writeData(path.join(folder, 'color', `${n}.jpg`))
    await writeDepth(path.join(folder, 'depth', `${n}.png`), new Array<number>(width).fill(1000))
  }
  await writeData(path.join(folder, 'pose', '2.txt'), quarterTurn.join(' '))
  await writeData(path.join(folder, 'pose', '10.txt'), new Array(16).fill('-inf').join(' '))
}

async function plain(root: string): Promise<void> {
  await writeData(path.join(root, 'color', 'a.png'))
  await writeDepth(path.join(root, 'depth', 'a.png'), [1000])
}

async function made(make: (root: string) => Promise<void>): Promise<string> {
  const root = await temporaryFolder()
  await make(root)
  return root
}

async function read(root: string, layout: Layout): Promise<RgbdSequence> {
  const [sequence] = await readDataset(root, layout)
  if (sequence === undefined) throw new Error('no sequence')
  return sequence
}

test.each([
  ['sintel-clean', sintel],
  ['kitti', kitti],
  ['bonn', bonn],
  ['scannet', scannet],
  ['plain', plain]
] as const)('%s is recognised by its folders', async (layout, make) => {
  expect(await detectLayout(await made(make))).toBe(layout)
})

test('a folder of no known layout is refused with the choices', async () => {
  await expect(detectLayout(await temporaryFolder())).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: expect.stringMatching(/none of the layouts plain, sintel-clean.*--layout/s) as string
  })
})

test('Sintel: metres up to 70, sky and what is no number unknown, poses turned to camera to world', async () => {
  const { name, frames } = await read(await made(sintel), 'sintel-final')
  expect([name, frames.length]).toEqual(['alley_1', 2])
  expect(frames[0]?.colorPath).toMatch(/final.alley_1.frame_0001\.png$/)
  expect(await frames[0]?.readTruth()).toEqual({
    width: 7,
    height: 1,
    depthM: Float32Array.of(2.5, 0, 0, 0, 0, 0, 69.5)
  })
  const camera = frames[0]?.camera
  expect(camera).toMatchObject({ fx: 1120, fy: 1121, cx: 511.5, cy: 217.5 })
  camera?.pose.forEach((value, i) => expect(value).toBeCloseTo(quarterTurn[i] ?? NaN, 12))
})

test('Sintel without its depth package says which file is missing, and a cut file is found out', async () => {
  const root = await made(sintel)
  const file = path.join(root, 'training', 'depth', 'alley_1', 'frame_0002.dpt')
  await writeData(file, dpt([1, 2, 3]).subarray(0, 20))
  const { frames } = await read(root, 'sintel-clean')
  await expect(frames[1]?.readTruth()).rejects.toThrow(/frame_0002\.dpt has 20 bytes, .*promises 24/)
  await writeData(file, Buffer.from('RIFFxxxxxxxx'))
  await expect(frames[1]?.readTruth()).rejects.toThrow(/begins with "RIFF", not "PIEH"/)
  await rm(file)
  await expect(read(root, 'sintel-clean')).rejects.toThrow(
    /frame_0002\.png has no .*frame_0002\.dpt; .*depth package/
  )
  await rm(path.join(root, 'training', 'clean'), { recursive: true })
  await expect(read(root, 'sintel-clean')).rejects.toThrow(/clean holds no scenes/)
})

test('KITTI: 256 to the metre below 80 m, and only the frames that have depth', async () => {
  const { name, frames } = await read(await made(kitti), 'kitti')
  expect([name, frames.map((frame) => frame.name)]).toEqual([drive, ['0000000005', '0000000006']])
  expect([...((await frames[0]?.readTruth())?.depthM ?? [])]).toEqual([0, 1, 0, 20_479 / 256])
  expect(frames[0]?.colorPath).toMatch(/raw.2011_09_26.*0000000005\.png$/)
})

test('KITTI without the raw pictures, or with one missing, says so', async () => {
  const root = await made(kitti)
  await rm(path.join(root, 'raw', '2011_09_26', drive, 'image_02', 'data', '0000000006.png'))
  await expect(read(root, 'kitti')).rejects.toThrow(/0000000006\.png has no .*raw data/)
  await rm(path.join(root, 'raw'), { recursive: true })
  await expect(read(root, 'kitti')).rejects.toThrow(/image_02.data is missing; KITTI needs .*raw data/)
  await expect(read(await temporaryFolder(), 'kitti')).rejects.toThrow(/holds no drives/)
})

test('Bonn: pictures and depth closest in time, 5000 to the metre below 10 m, marker poses as camera poses', async () => {
  const { name, frames } = await read(await made(bonn), 'bonn')
  expect([name, frames.map((frame) => frame.name)]).toEqual(['rgbd_bonn_box', ['10.000', '10.033']])
  expect([...((await frames[0]?.readTruth())?.depthM ?? [])]).toEqual([0, 1, Math.fround(9.9998), 0])
  // T_ROS (1, 2, 3) = (-1, 3, 2), plus T_m's own offset.
  const pose = frames[0]?.camera?.pose ?? []
  expect([pose[3], pose[7], pose[11]]).toEqual([
    expect.closeTo(-1 + 0.0113, 9),
    expect.closeTo(3 - 0.0098, 9),
    expect.closeTo(2 + 0.0111, 9)
  ])
  const lengths = [0, 4, 8].map((row) => Math.hypot(...pose.slice(row, row + 3)))
  for (const length of lengths) expect(length).toBeCloseTo(1, 3)
  expect(frames[1]?.camera).toBeNull()
})

test('Bonn lists that are missing, malformed or out of step are named', async () => {
  const root = await made(bonn)
  const folder = path.join(root, 'rgbd_bonn_box')
  await writeData(path.join(folder, 'depth.txt'), '99.0 depth/99.0.png\n')
  await expect(read(root, 'bonn')).rejects.toThrow(/depth\.txt has no time within 20 ms/)
  await writeData(path.join(folder, 'depth.txt'), 'depth/99.0.png\n')
  await expect(read(root, 'bonn')).rejects.toThrow(/depth\.txt has the line "depth\/99\.0\.png"/)
  await rm(path.join(folder, 'depth.txt'))
  await expect(read(root, 'bonn')).rejects.toThrow(/depth\.txt cannot be read; a Bonn sequence is/)
})

test('ScanNet: frames by number, the border and lost poses left out', async () => {
  const { name, frames } = await read(await made(scannet), 'scannet')
  expect([name, frames.map((frame) => frame.name)]).toEqual(['scene0707_00', ['2', '10']])
  expect(frames[0]?.camera).toEqual({ fx: 571, fy: 572, cx: 319, cy: 239, pose: quarterTurn })
  expect(frames[1]?.camera).toBeNull()
  // One row is all border.
  expect([...((await frames[0]?.readTruth())?.depthM ?? [])].every((depth) => depth === 0)).toBe(true)
})

test('ScanNet without intrinsics says how to export them', async () => {
  const root = await made(scannet)
  await rm(path.join(root, 'scene0707_00', 'intrinsic'), { recursive: true })
  await expect(read(root, 'scannet')).rejects.toThrow(
    /intrinsic_depth\.txt cannot be read; .*--export_intrinsics/
  )
})
