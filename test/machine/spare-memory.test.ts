import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

/** Pieces of which most are freed: what malloc gives back by itself is only the end of its memory. */
const script = `
  const { readFileSync } = require('node:fs')
  const { promisify } = require('node:util')
  const mib = () => Number(/^RssAnon:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024
  Promise.all(process.argv.slice(1).map((url) => import(url))).then(async ([{ loadNative }, { mallocTrim }]) => {
    const libc = loadNative(null)
    const [malloc, free] = [libc.func('void *malloc(size_t n)'), libc.func('void free(void *p)')]
    const memset = libc.func('void *memset(void *p, int c, size_t n)')
    const pieces = Array.from({ length: 4000 }, () => memset(malloc(65536), 1, 65536))
    for (const [i, piece] of pieces.entries()) if (i % 10 !== 9) free(piece)
    const before = mib()
    await promisify(mallocTrim())(0)
    process.stdout.write(String(before - mib()))
  })
`

const { glibcVersionRuntime } = (process.report.getReport() as { header: Record<string, unknown> }).header

test.runIf(glibcVersionRuntime)(
  'memory that is freed between what is in use goes back to the machine',
  async () => {
    const modules = ['native-library', 'spare-memory'].map(
      (name) => new URL(`../../src/machine/${name}.ts`, import.meta.url).href
    )
    const { stdout } = await run(process.execPath, ['--import', 'tsx', '-e', script, ...modules])
    // Of 250 MiB.
    expect(Number(stdout)).toBeGreaterThan(150)
  }
)
