import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { buildPage } from '../../scripts/browser-build/page.ts'
import { temporaryFolder } from '../video/clip-file.ts'

test('a page that one user has built can be served by another', { timeout: 60_000 }, async () => {
  const folder = path.join(await temporaryFolder(), 'web')
  await buildPage(folder)
  expect((await stat(folder)).mode & 0o005).toBe(0o005)
  for (const name of await readdir(folder))
    expect((await stat(path.join(folder, name))).mode & 0o004, name).toBe(0o004)
})
