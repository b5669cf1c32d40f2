/** Before a command of this clone runs: build the page that its server shows, if there is none or its sources are newer. */
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'

const root = path.dirname(import.meta.dirname)
const builtMs = statSync(path.join(root, 'dist/web/page.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0
const newestMs = Math.max(...['src', 'src/web', 'src/client'].flatMap(changesIn))

if (newestMs > builtMs) {
  const tsx = path.join(root, 'node_modules/tsx/dist/cli.mjs')
  execFileSync(process.execPath, [tsx, path.join(root, 'scripts/build-browser.ts')], { stdio: 'inherit' })
}

/** When the files of a folder were changed; of src itself only those that lie in it. */
function changesIn(folder) {
  return readdirSync(path.join(root, folder), { recursive: folder !== 'src', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs)
}
