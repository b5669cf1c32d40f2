import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { withEngineFolder } from '../../src/inference/executors/ort-capi/engine-folder.ts'
import { temporaryFolder } from '../video/clip-file.ts'
import { parse } from './parse.ts'

function environment(variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
}

test('on a device that compiles nothing ahead, compiling is refused with what to do instead', async () => {
  const { exitCode, stderr } = await parse(['models', 'compile'])
  expect(exitCode).not.toBe(0)
  expect(stderr).toMatch(/Only TensorRT compiles.*LEADLINE_DEVICE=cpu.*--warmup/)
})

test('without a folder for the engines compiling is refused', async () => {
  environment({ LEADLINE_DEVICE: 'tensorrt' })
  const { exitCode, stderr } = await parse(['models', 'compile'])
  expect(exitCode).not.toBe(0)
  expect(stderr).toMatch(/LEADLINE_ENGINE_DIR is empty/)
})

test('where TensorRT’s provider is missing, compiling fails with its name', async () => {
  environment({ LEADLINE_DEVICE: 'tensorrt', LEADLINE_ENGINE_DIR: await temporaryFolder() })
  const { exitCode, stderr } = await parse(['models', 'compile', '--frames', '320x180'])
  expect(exitCode).not.toBe(0)
  expect(stderr).toMatch(/libonnxruntime_providers/)
})

test('sizes that are none are refused', async () => {
  const { exitCode, stderr } = await parse(['models', 'compile', '--frames', '320'])
  expect(exitCode).not.toBe(0)
  expect(stderr).toMatch(/1920x1080,640x480/)
})

const version = '1.30.0'

test('engines of two graphs lie in two folders, those of one graph in the same', async () => {
  const engineDir = await temporaryFolder()
  const [one, other] = [Uint8Array.of(1), Uint8Array.of(2)]
  const folderOf = async (graph: Uint8Array) =>
    (await withEngineFolder({ device: 'tensorrt', engineDir }, { graph, version })).engineDir
  const [first, second] = [await folderOf(one), await folderOf(other)]
  expect(await folderOf(one)).toBe(first)
  const folders = await readdir(path.join(engineDir, 'onnxruntime-1.30.0'))
  expect(folders.sort()).toEqual([first, second].map((dir) => path.basename(dir!)).sort())
  const elsewhere = { device: 'cpu', engineDir } as const
  expect(await withEngineFolder(elsewhere, { graph: one, version })).toEqual(elsewhere)
})

test('engines of another ONNX Runtime lie in another folder', async () => {
  const engineDir = await temporaryFolder()
  const folderOf = async (other: string) =>
    (await withEngineFolder({ device: 'tensorrt', engineDir }, { graph: Uint8Array.of(1), version: other }))
      .engineDir
  expect(await folderOf('1.29.1')).not.toBe(await folderOf(version))
})
