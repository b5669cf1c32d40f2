/** Write what runs in browsers to dist: the page, and the SDK as one file. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { buildClient } from './browser-build/client.ts'
import { buildPage } from './browser-build/page.ts'

const dist = path.resolve(import.meta.dirname, '../dist')

await mkdir(path.join(dist, 'sdk'), { recursive: true })
for (const name of ['client', 'clips'] as const)
  await writeFile(path.join(dist, 'sdk', `${name}.js`), (await buildClient(name)).code)
await buildPage(path.join(dist, 'web'))
