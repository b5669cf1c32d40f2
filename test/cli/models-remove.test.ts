import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { createEngine } from '../../src/inference/index.ts'
import { silent } from '../inference/fake-engine.ts'
import { temporaryFolder, writeTinyModel } from '../inference/models/model-folder.ts'
import { parse } from './parse.ts'

async function withTiny(): Promise<string> {
  const folder = await temporaryFolder()
  vi.stubEnv('LEADLINE_MODELS_DIR', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  await writeTinyModel(folder)
  return folder
}

test('a model that was added is removed, and nothing is left of it', async () => {
  const folder = await withTiny()
  expect(await parse(['models', 'remove', 'tiny'])).toEqual({
    ...{ exitCode: 0, stderr: '' },
    stdout: `Removed tiny: ${path.join(folder, 'tiny')}\n`
  })
  expect(await readdir(folder)).toEqual([])
  expect((await parse(['models', 'remove', 'tiny'])).stderr).toMatch(/There is no model "tiny"; known: /)
})

test('the bundled model stays', async () => {
  await withTiny()
  const { exitCode, stderr } = await parse(['models', 'remove', 'leadline-nano'])
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(/^leadline: leadline-nano was not added here: it is in .*\n$/) as string
  })
  expect((await parse(['models', 'list'])).stdout).toMatch(/^leadline-nano /m)
})

test('a model that a running server serves stays until that has ended', async () => {
  const folder = await withTiny()
  const environment = { LEADLINE_MODELS_DIR: folder, LEADLINE_MODEL: 'tiny', LEADLINE_THREADS: '1' }
  const running = await createEngine({ config: loadConfig(environment), log: silent })
  onTestFinished(() => running.close())
  const { exitCode, stderr } = await parse(['models', 'remove', 'tiny'])
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(
      `^leadline: tiny is served by process ${process.pid} on .* since .*; stop that server first\n$`
    ) as string
  })
  expect(existsSync(path.join(folder, 'tiny', 'manifest.json'))).toBe(true)
  await running.close()
  expect(await parse(['models', 'remove', 'tiny'])).toMatchObject({ exitCode: 0 })
})
