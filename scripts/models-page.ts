/**
 * Write docs/models.md and the learning curves from what lies in models/: `npm run models-page`. Without a clock, a device
 * or a network: the same files give the same page.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import Value from 'typebox/value'
import { manifestSchema } from '../src/manifest.ts'
import { learningCurve } from './models-page/learning-curve.ts'
import { modelsPage } from './models-page/page.ts'
import type { Bundle } from './models-page/page.ts'
import { readResults } from './models-page/result-files.ts'

const root = path.dirname(import.meta.dirname)
const docs = path.join(root, 'docs')

async function readText(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}

async function readBundle(folder: string): Promise<Bundle | null> {
  const text = await readText(path.join(folder, 'manifest.json'))
  if (text === null) return null
  const manifest = Value.Parse(manifestSchema, JSON.parse(text))
  const results = await readResults(path.join(folder, 'results'))
  const curve = learningCurve(results.learningCurve, manifest.resolution.lowerBound)
  const curveFile = curve === null ? null : `models/${manifest.name}-learning-curve.svg`
  if (curve !== null && curveFile !== null) await writeFile(path.join(docs, curveFile), curve)
  return { manifest, results, notes: await readText(path.join(folder, 'notes.md')), curveFile }
}

await mkdir(path.join(docs, 'models'), { recursive: true })
const entries = await readdir(path.join(root, 'models'), { withFileTypes: true })
const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
const bundles: Bundle[] = []
for (const name of folders.sort()) {
  const bundle = await readBundle(path.join(root, 'models', name))
  if (bundle !== null) bundles.push(bundle)
}
await writeFile(path.join(docs, 'models.md'), modelsPage(bundles))
console.log(`docs/models.md: ${bundles.map(({ manifest }) => manifest.name).join(', ')}`)
