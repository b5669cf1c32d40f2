/** Write what runs in browsers to dist: the SDK as one file. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { buildClient } from './browser-build/client.ts'

const dist = path.resolve(import.meta.dirname, '../dist')

await mkdir(path.join(dist, 'sdk'), { recursive: true })
await writeFile(path.join(dist, 'sdk', 'client.js'), await buildClient())
