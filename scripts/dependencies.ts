/**
 * Lists the licences of the packages of package-lock.json, and says what is wrong with them and those of node_modules, without a
 * network. Exits 1 if anything is.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { faultsOf, licenceList } from './dependencies/faults.ts'
import type { InstalledPackage, LockedPackage } from './dependencies/faults.ts'

const root = path.dirname(import.meta.dirname)

function read<Content>(file: string): Content {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8')) as Content
}

const { '': _, ...locked } = read<{ packages: Record<string, LockedPackage> }>('package-lock.json').packages
const faults = faultsOf({
  locked,
  installed: (folder) => {
    const file = path.join(folder, 'package.json')
    return existsSync(path.join(root, file)) ? read<InstalledPackage>(file) : null
  }
})
for (const line of licenceList(locked)) console.log(line)
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)
console.log(`${Object.keys(locked).length} packages: licences allowed, hashes known, none deprecated`)
