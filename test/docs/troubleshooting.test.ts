import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { environmentSchema } from '../../src/environment.ts'
import { errorTitles } from '../../src/error-titles.ts'
import { errorCodes, isErrorCode } from '../../src/errors.ts'
import { tables } from '../contract/protocol-page.ts'

const folder = path.join(import.meta.dirname, '..', '..', 'docs')
const page = readFileSync(path.join(folder, 'troubleshooting.md'), 'utf8')
const rows = tables(page).flat()

test('every code of the registry is on the page once, and no other', () => {
  expect(rows.map(({ code }) => code?.replaceAll('`', '')).toSorted()).toEqual(errorCodes.toSorted())
})

test.each(rows.map((row) => [row.code?.replaceAll('`', '') ?? '', row] as const))(
  '%s means what the registry says, and something can be done',
  (code, row) => {
    expect(row.means).toBe(isErrorCode(code) ? errorTitles[code] : 'a code')
    expect(row['what to do']).toMatch(/\w+ \w+ \w+/)
  }
)

test('settings that it names are settings, and pages that it names are there', () => {
  const settings = page.match(/\bLEADLINE_[A-Z_]+/g) ?? []
  expect(settings.filter((name) => !Object.hasOwn(environmentSchema.properties, name))).toEqual([])
  const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, link = '']) => link)
  expect(links.length).toBeGreaterThan(5)
  expect(links.filter((link) => !existsSync(path.join(folder, link)))).toEqual([])
})
