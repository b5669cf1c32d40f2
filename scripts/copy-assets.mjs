/** What tsc leaves behind, copied from src/ to the same places in dist/: Lua scripts, pages, styles. */
import { cpSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const from = fileURLToPath(new URL('../src', import.meta.url))
const to = fileURLToPath(new URL('../dist', import.meta.url))

cpSync(from, to, {
  recursive: true,
  filter: (path) => statSync(path).isDirectory() || !/\.[cm]?tsx?$/.test(path)
})
