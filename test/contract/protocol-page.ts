import { readFileSync } from 'node:fs'
import path from 'node:path'

/** PROTOCOL.md as the tests read it. */
export const protocolPage = readFileSync(path.join(import.meta.dirname, '..', '..', 'PROTOCOL.md'), 'utf8')

/** The text under a heading of either level, up to the next heading of the same or a higher one. */
export function section(heading: string): string {
  const level = heading.match(/^#+/)?.[0] ?? '#'
  const start = protocolPage.indexOf(`${heading}\n`)
  if (start < 0) throw new Error(`PROTOCOL.md has no "${heading}"`)
  const rest = protocolPage.slice(start + heading.length)
  const end = rest.search(new RegExp(`\n#{1,${level.length}} `))
  return end < 0 ? rest : rest.slice(0, end)
}

/** Every table in the text, as rows of cells by column name. */
export function tables(text: string): Record<string, string>[][] {
  const blocks = text.match(/(?:^\|.*\|\n?)+/gm) ?? []
  return blocks.map((block) => {
    const [header = [], , ...rows] = block.trim().split('\n').map(cells)
    return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? ''])))
  })
}

export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp('```' + language + '\n(.*?)```', 'gs'))].map(([, code]) => code ?? '')
}

function cells(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}
