import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const root = path.join(import.meta.dirname, '..', '..')

/** Every page that a user reads, by its path in the project; decisions tell of the past. */
export const pages: ReadonlyMap<string, string> = new Map(
  [
    ...['README.md', 'PROTOCOL.md', 'SECURITY.md', 'clients/python/README.md'],
    ...readdirSync(path.join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`)
  ].map((name) => [name, readFileSync(path.join(root, name), 'utf8')])
)

export function page(name: string): string {
  const text = pages.get(name)
  if (text === undefined) throw new Error(`There is no page ${name}`)
  return text
}

/** Every `leadline …` of a page, in blocks and in the text, as words, without what stands in front of it or behind # and |. */
export function leadlineCommands(text: string): string[][] {
  return [...text.matchAll(/(?:^|`)(?:[A-Z_]+=\S+ )*(leadline [a-z][^`\n]*)/gm)].map(([, line = '']) =>
    line
      .replace(/\s*[#|].*$/, '')
      .trim()
      .split(/\s+/)
      .slice(1)
  )
}
