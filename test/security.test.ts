import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.dirname(import.meta.dirname)
const page = readFileSync(path.join(root, 'SECURITY.md'), 'utf8')

/** The table of threats, a row each: asset, threat, measure, test. */
const rows = page
  .slice(page.indexOf('## Threats'), page.indexOf('## What is not covered'))
  .split('\n')
  .filter((line) => /^\| (?!asset)[^-]/.test(line))
  .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))

/** What a cell names in code; a name without a folder lies in that of the one before it. */
function testsIn(cell: string): string[] {
  let folder = ''
  return [...cell.matchAll(/`([^`]+)`/g)]
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('npm run '))
    .map((name) => {
      const file = name.includes('/') ? name : path.posix.join(folder, name)
      folder = path.posix.dirname(file)
      return file
    })
}

const testFiles = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => path.posix.join('test', file))

/** It is run: a file of tests, a folder that has one, or a suite that one of them takes. */
function isRun(file: string): boolean {
  const absolute = path.join(root, file)
  if (!existsSync(absolute)) return false
  if (statSync(absolute).isDirectory()) return testFiles.some((one) => one.startsWith(`${file}/`))
  const takes = (one: string) =>
    readFileSync(path.join(root, one), 'utf8').includes(path.posix.basename(file))
  return file.endsWith('.suite.ts') ? testFiles.some(takes) : testFiles.includes(file)
}

test('every threat has a measure, and tests that are there and are run', () => {
  expect(rows.length).toBeGreaterThan(25)
  for (const row of rows) {
    expect(row).toHaveLength(4)
    for (const cell of row) expect(cell.trim(), row[1]).not.toBe('')
    const tests = testsIn(row[3] ?? '')
    expect(tests, row[1]).not.toEqual([])
    expect(
      tests.filter((file) => !isRun(file)),
      row[1]
    ).toEqual([])
  }
})

test('whatever the page says is not trusted has its threat', () => {
  const threats = rows.map(([asset, threat]) => `${asset} ${threat}`.toLowerCase()).join('\n')
  const [, list = ''] = /Nothing else: ([\s\S]*?)\.\n/.exec(page) ?? []
  const named = ['client', 'web page', 'video', 'image', 'context', 'model file']
  for (const one of named) {
    expect(list).toContain(one)
    expect(threats).toContain(one.replace('web ', ''))
  }
})
