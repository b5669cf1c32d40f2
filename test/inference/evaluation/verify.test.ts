import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { randomNumbers, randomWeights } from '../../../bench/random-weights.ts'
import { verifyGoldens } from '../../../src/inference/evaluation/verify.ts'
import { writeSafetensors } from '../../../src/inference/weights/safetensors-writer.ts'
import { StepRunner } from '../graph/step-runner.ts'
import { tinyArchitecture } from '../tiny-architecture.ts'
import { temporaryFolder } from '../models/model-folder.ts'

const weights = randomWeights(tinyArchitecture, 1)
const [height, width] = [42, 56]

function npy(type: string, shape: readonly number[], data: Uint8Array): Uint8Array {
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`
  const length = Buffer.alloc(2)
  length.writeUInt16LE(header.length)
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), data])
}

/** A folder of goldens that the standard operators made, one value off by `error`. */
async function writeGoldens(error: number): Promise<string> {
  const folder = await temporaryFolder()
  const next = randomNumbers(2)
  const frames = Array.from({ length: 3 }, () =>
    Uint8Array.from({ length: height * width * 3 }, () => 255 * (next() + 0.5))
  )
  const options = {
    weights,
    architecture: tinyArchitecture,
    height,
    width,
    mode: 'ovda',
    cacheSize: 4
  } as const
  const runner = await StepRunner.create({ ...options, opSet: 'standard' })
  const state = runner.newState()
  const depths: Float32Array[] = []
  for (const frame of frames) depths.push(...(await runner.step([state], [frame])))
  await runner.release()
  depths[2]![0]! += error
  const depthBytes = Buffer.concat(depths.map((depth) => new Uint8Array(depth.buffer)))
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(tinyArchitecture))
  await writeFile(path.join(folder, 'model.safetensors'), writeSafetensors(weights, 'float32'))
  await writeFile(
    path.join(folder, 'frames_42x56.npy'),
    npy('|u1', [3, height, width, 3], Buffer.concat(frames))
  )
  await writeFile(
    path.join(folder, 'depth_ovda-c4-strict_42x56.npy'),
    npy('<f4', [3, height, width], depthBytes)
  )
  await writeFile(
    path.join(folder, 'depth_vda-window16_42x56.npy'),
    npy('<f4', [3, height, width], depthBytes)
  )
  return folder
}

test('equal goldens are found equal, and modes that Leadline does not run are named', async () => {
  const seen: string[] = []
  const results = await verifyGoldens(await writeGoldens(0), ({ mode }) => seen.push(mode))
  expect(seen).toEqual(['ovda-c4-strict', 'vda-window16'])
  expect(results[0]).toMatchObject({ outcome: 'equal', frames: 3, height, width })
  expect(results[1]).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('vda-window16') })
})

test('one wrong value is found, with its size', async () => {
  const [result] = await verifyGoldens(await writeGoldens(0.5))
  expect(result).toMatchObject({ outcome: 'different' })
  expect(result).toHaveProperty('maxAbsolute', expect.closeTo(0.5, 3))
})

test('a folder without goldens is refused', async () => {
  await expect(verifyGoldens(await temporaryFolder())).rejects.toThrow(/holds no depth_<mode>_<H>x<W>\.npy/)
})
