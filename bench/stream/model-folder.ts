import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest } from '../../src/manifest.ts'

export const benchModel = 'nano-192'

/** A folder with leadline-nano at the size that this bench is defined at, 192x352, whatever the bundle serves at. */
export async function writeModelFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-bench-'))
  const directory = path.join(folder, benchModel)
  const bundle = fileURLToPath(new URL('../../models/leadline-nano/', import.meta.url))
  const manifest = JSON.parse(await readFile(path.join(bundle, 'manifest.json'), 'utf8')) as Manifest
  const resolution = { ...manifest.resolution, lowerBound: 192, maxArea: 192 * 352 }
  await mkdir(directory)
  await writeFile(
    path.join(directory, 'manifest.json'),
    JSON.stringify({ ...manifest, name: benchModel, resolution })
  )
  await copyFile(path.join(bundle, manifest.weights.file), path.join(directory, manifest.weights.file))
  return folder
}
