import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readCheckpointFile } from '../../../src/inference/weights/checkpoint-file.ts'
import { writeSafetensors } from '../../../src/inference/weights/safetensors-writer.ts'
import { temporaryFolder } from '../models/model-folder.ts'
import { checkpointOf } from './torch-file.ts'

const weights = new Map([['weight', { shape: [2], data: Float32Array.of(1, 2) }]])

async function writeTemporary(bytes: Uint8Array | string): Promise<string> {
  const file = path.join(await temporaryFolder(), 'net.bin')
  await writeFile(file, bytes)
  return file
}

test.each([
  ['a PyTorch checkpoint', checkpointOf(weights)],
  ['.safetensors', writeSafetensors(weights, 'float32')]
])('%s is read by its bytes, whatever its name', async (_title, bytes) => {
  const file = await readCheckpointFile(await writeTemporary(bytes))
  expect(file.weights.get('weight')).toEqual(weights.get('weight'))
})

test.each([
  ['an empty file', '', /is empty; download it again/],
  ['a web page', '<!DOCTYPE html><html>', /is a web page; .*\/resolve\/ instead of \/blob\//],
  ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid', /Git LFS pointer.*git lfs pull/],
  ['a pickle from before zip files', Uint8Array.of(0x80, 2, 0x8a), /before PyTorch 1\.6/],
  ['anything else', 'hello, world', /\(12 bytes\) is neither a PyTorch state dict/]
])('%s is told apart from weights', async (_title, content, message) => {
  const file = await writeTemporary(content)
  const reading = readCheckpointFile(file, { source: 'https://host/net.pth' })
  await expect(reading).rejects.toThrow(message)
  await expect(reading).rejects.toThrow(/^https:\/\/host\/net\.pth /)
  await expect(reading).rejects.toMatchObject({ code: 'MODEL_FILE_INVALID' })
})

test('a wrong path, a folder and a device are named as what they are', async () => {
  const folder = await temporaryFolder()
  const missing = path.join(folder, 'net.pth')
  await expect(readCheckpointFile(missing)).rejects.toThrow(`There is no file ${missing}; check the path`)
  await expect(readCheckpointFile(folder)).rejects.toThrow(
    `${folder} is a folder; give the checkpoint file in it`
  )
  await expect(readCheckpointFile('/dev/zero')).rejects.toThrow(/\/dev\/zero is not a regular file/)
})
