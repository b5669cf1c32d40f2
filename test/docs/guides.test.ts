import { stat } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startListening } from '../cli/leadline-process.ts'
import { codeBlocks } from '../contract/protocol-page.ts'
import { page } from './pages.ts'
import { ranIn, readersFolder } from './reader.ts'

const timeout = 600_000

test('the first ten minutes go as they are told', { timeout }, async () => {
  const text = page('docs/first-ten-minutes.md')
  const folder = await readersFolder()
  const [serve = '', ...commands] = codeBlocks(text, 'sh')
  expect(serve).toBe('leadline serve\n')
  const { url } = await startListening(['serve'], { LEADLINE_EXECUTOR: 'auto' })
  for (const sh of commands) {
    const { code, stderr } = await ranIn(folder, url, { sh })
    expect(code, `${sh}${stderr}`).toBe(0)
  }
  for (const file of ['depth.png', 'depth.mp4', 'beside.mp4', 'depth'])
    expect((await stat(path.join(folder, file))).size, file).toBeGreaterThan(0)
  const [program = ''] = codeBlocks(text, 'ts')
  const { stdout, stderr } = await ranIn(folder, url, { ts: program })
  expect(stdout, stderr).toMatch(/^\d+x\d+ of relative-inverse-depth, the nearest [\d.]+\n$/)
})

/** What the README leaves to its reader. */
const readersOwn = `import { readFile } from 'node:fs/promises'
const jpegs = [await readFile('photo.jpg'), await readFile('photo.jpg')]
const draw = (width: number, height: number, depth: Float32Array) => console.log(depth.length === width * height)
`

test.each([
  [
    ...['docs/streaming.md', 'ts', ''],
    [
      /result: \d+, drop: \d+, error: 0/,
      /12 of 12/,
      /^jpeg u8\nraw f32$/m,
      /^done$/m,
      /^(exact|rebuilt)$/m,
      /^exact$/m
    ]
  ],
  ['docs/clips.md', 'js', '', [/^\.\.\/clips\/[\da-f-]{36}$/m, /^\d{3,}$/m]],
  ['README.md', 'ts', readersOwn, [/^(true\n)+$/]]
] as [string, string, string, RegExp[]][])(
  'every program of %s runs as it stands',
  { timeout },
  async (name, language, before, says) => {
    const folder = await readersFolder()
    const { url } = await startListening(['serve'])
    const programs = codeBlocks(page(name), language)
    expect(programs).toHaveLength(says.length)
    for (const [at, program] of programs.entries()) {
      const { code, stdout, stderr } = await ranIn(folder, url, { ts: before + program })
      expect(code, stderr).toBe(0)
      expect(stdout, stderr).toMatch(says[at]!)
    }
  }
)
