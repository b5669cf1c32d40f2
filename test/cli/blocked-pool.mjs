/**
 * Occupies all of libuv's threads but one, each with a pipe that nobody writes to, reads a file with that one, and says
 * how many there are. Stands in for src/cli.ts.
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leadline-pool-'))
const threads = Number(process.env.UV_THREADPOOL_SIZE)
const pipes = Array.from({ length: threads - 1 }, (_, i) => path.join(folder, String(i)))
if (pipes.length > 0) execFileSync('mkfifo', pipes)
const opened = pipes.map((pipe) => fs.promises.open(pipe, 'r'))
await fs.promises.readFile(import.meta.filename)
process.stdout.write(`threads: ${threads}\n`)
for (const pipe of pipes) fs.closeSync(fs.openSync(pipe, fs.constants.O_RDWR))
for (const file of await Promise.all(opened)) await file.close()
fs.rmSync(folder, { recursive: true })
