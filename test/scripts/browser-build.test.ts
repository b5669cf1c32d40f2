import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { buildPage } from '../../scripts/browser-build/page.ts'
import { bundled } from '../../scripts/dependencies/policy.ts'
import { temporaryFolder } from '../video/clip-file.ts'

test('a page that one user has built can be served by another', { timeout: 60_000 }, async () => {
  const folder = path.join(await temporaryFolder(), 'web')
  await buildPage(folder)
  expect((await stat(folder)).mode & 0o005).toBe(0o005)
  for (const name of await readdir(folder))
    expect((await stat(path.join(folder, name))).mode & 0o004, name).toBe(0o004)
})

test('the page has the packages in it that count as shipped, and with it what their licences want', async () => {
  const folder = path.join(await temporaryFolder(), 'web')
  expect(await buildPage(folder)).toEqual([...bundled].sort())
  const notices = await readFile(path.join(folder, 'third-party.txt'), 'utf8')
  for (const name of bundled) {
    const licence = await readFile(path.join('node_modules', name, 'LICENSE'), 'utf8')
    expect(notices).toContain(licence.trim())
    expect(licence).toMatch(/Copyright ©|Copyright \(c\)/)
  }
})
