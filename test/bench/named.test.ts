import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '..', '..')
const text = (...names: string[]) => readFileSync(path.join(root, ...names), 'utf8')

/** What is run and not imported. */
const benches = readdirSync(path.join(root, 'bench'))
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts' && !/^export /m.test(text('bench', file)))
  .map((file) => path.basename(file, '.ts'))

test('every bench is run with all the others, or stands in CONTRIBUTING.md with what it asks', () => {
  const [, list = ''] = /const all = \[(.*?)\]/s.exec(text('bench', 'run.ts')) ?? []
  const together = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name)
  const [, table = ''] =
    /Benches that `npm run bench` leaves out(.*?)\n\n\*\*/s.exec(text('CONTRIBUTING.md')) ?? []
  const alone = [...table.matchAll(/^\| `(\w+)` \| \w/gm)].map(([, name]) => name)
  expect([...together, ...alone].toSorted()).toEqual(benches.toSorted())
})
