// Write test/vectors anew from the code: what goes over the wire, which the server and every SDK are held to.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { vectorFiles } from './wire-vectors/files.ts'

const folder = path.join(import.meta.dirname, '..', 'test', 'vectors')
await rm(folder, { recursive: true, force: true })
await mkdir(folder, { recursive: true })
for (const [name, bytes] of vectorFiles()) await writeFile(path.join(folder, name), bytes)
