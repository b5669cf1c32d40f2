import { expect, onTestFinished, test, vi } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { userFolder } from '../../src/machine/user-folder.ts'

test('the folder is the one that is named, else in the home folder', () => {
  onTestFinished(() => void vi.unstubAllEnvs())
  vi.stubEnv('HOME', '/home/ada')
  expect(userFolder('/srv/state', '.local/state')).toBe('/srv/state')
  expect(userFolder(undefined, '.local/state')).toBe('/home/ada/.local/state')
  // By the specification a relative one counts as none.
  expect(userFolder('state', '.local/state')).toBe('/home/ada/.local/state')
})

test('without a home folder there is none, and the models that come with Leadline are still found', () => {
  onTestFinished(() => void vi.unstubAllEnvs())
  vi.stubEnv('HOME', '')
  expect(userFolder(undefined, '.local/state')).toBeNull()
  const { modelsDirs, addedModelsDir, stateDir } = loadConfig({})
  expect({ addedModelsDir, stateDir }).toEqual({ addedModelsDir: null, stateDir: null })
  expect(modelsDirs).toHaveLength(1)
  expect(loadConfig({ LEADLINE_MODELS_DIR: '/srv/models' }).modelsDirs[1]).toBe('/srv/models')
})
