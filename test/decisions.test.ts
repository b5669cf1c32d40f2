import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const folder = path.join(path.dirname(import.meta.dirname), 'docs', 'decisions')
const pages = readdirSync(folder).sort()

test('every decision has a number of its own, the same in its name and its title', () => {
  const titles = pages.map((page) => readFileSync(path.join(folder, page), 'utf8').split('\n', 1)[0])
  const numbers = pages.map((page) => Number(page.slice(0, 4)))
  expect(titles.map((title) => Number(title?.match(/^# (\d+)\. /)?.[1]))).toEqual(numbers)
  expect([...new Set(numbers)]).toEqual(numbers)
})
