import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { temporaryFolder } from '../video/clip-file.ts'
import { parse } from './parse.ts'

const golden = fileURLToPath(new URL('../../../shared/data/golden', import.meta.url))
const rgbd = fileURLToPath(new URL('../../../shared/data/rgbd', import.meta.url))
const hasData = existsSync(golden) && existsSync(rgbd)

/** A library of one's own, on one thread. */
async function ownLibrary(): Promise<string> {
  const folder = await temporaryFolder()
  vi.stubEnv('LEADLINE_MODELS_DIR', folder)
  vi.stubEnv('LEADLINE_THREADS', '1')
  onTestFinished(() => void vi.unstubAllEnvs())
  return folder
}

test.skipIf(!hasData)(
  'a checkpoint is added, listed, and scored on real depth (needs the shared data)',
  async () => {
    const library = await ownLibrary()
    const added = await parse([
      'models',
      'add',
      path.join(golden, 'checkpoint.pth'),
      '--name',
      'mine',
      '--license',
      'MIT'
    ])
    expect(added).toMatchObject({ exitCode: 0, stdout: `Added mine: ${path.join(library, 'mine')}\n` })
    const listed = await parse(['models', 'list', '--json'])
    const models = listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string })
    expect(models.find(({ name }) => name === 'mine')).toMatchObject({ license: 'MIT', isServed: true })
    const scored = await parse(['eval', '--data', rgbd, '--model', 'mine', '--cache-size', '8'])
    expect(scored.stderr).toBe('')
    // Random weights: worse than any trained model, and not absurd.
    const { absRel, delta1, flicker, frames } = JSON.parse(scored.stdout) as Record<string, number>
    expect(absRel).toBeGreaterThan(0.1)
    expect(absRel).toBeLessThan(0.5)
    expect(delta1).toBeGreaterThan(0.2)
    expect(flicker).toBeGreaterThan(0)
    expect(frames).toBe(5)
  }
)
