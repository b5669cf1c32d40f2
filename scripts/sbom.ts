/**
 * Write the bill of materials (CycloneDX) of what is shipped to stdout: npm's of everything, without what only builds and tests.
 * npm's own --omit=dev leaves out as well what a package for development asks for beside a shipped one.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { LockedPackage } from './dependencies/faults.ts'
import { isShipped, nameOf } from './dependencies/faults.ts'

interface Bill {
  components: { name: string; version: string; 'bom-ref': string; properties?: { name: string }[] }[]
  dependencies: { ref: string; dependsOn?: string[] }[]
  metadata: { component: { 'bom-ref': string } }
}

const root = path.dirname(import.meta.dirname)
const npm = ['sbom', '--sbom-format=cyclonedx']
const bill = JSON.parse(execFileSync('npm', npm, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 })) as Bill
const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, LockedPackage>
}
const shipped = new Set(
  Object.entries(packages)
    .filter(([folder, entry]) => isShipped(nameOf(folder), entry))
    .map(([folder, { version }]) => `${nameOf(folder)}@${version}`)
)
const components = bill.components
  .filter(({ name, version }) => shipped.has(`${name}@${version}`))
  // Where one version lies twice, npm may have looked at that which is for development.
  .map(({ properties = [], ...component }) => ({
    ...component,
    properties: properties.filter(({ name }) => name !== 'cdx:npm:package:development')
  }))
const refs = new Set([bill.metadata.component, ...components].map((component) => component['bom-ref']))
const dependencies = bill.dependencies
  .filter(({ ref }) => refs.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }))
console.log(JSON.stringify({ ...bill, components, dependencies }, null, 2))
