import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { deliveries } from '../../src/session.ts'

test('the page offers every delivery that there is', async () => {
  const html = await readFile(path.join(import.meta.dirname, '..', '..', 'src', 'web', 'index.html'), 'utf8')
  const [, options = ''] = /<select id="delivery">(.*?)<\/select>/s.exec(html)!
  const offered = [...options.matchAll(/value="(\w+)"/g)].map(([, value]) => value)
  expect(offered.toSorted()).toEqual([...deliveries].toSorted())
})
