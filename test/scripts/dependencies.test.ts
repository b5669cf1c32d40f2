import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { faultsOf, isShipped, nameOf } from '../../scripts/dependencies/faults.ts'
import type { InstalledPackage, LockedPackage } from '../../scripts/dependencies/faults.ts'
import { bundled } from '../../scripts/dependencies/policy.ts'
import { run } from '../video/clip-file.ts'

const root = path.resolve(import.meta.dirname, '..', '..')

const sound: LockedPackage = { version: '1.0.0', license: 'MIT', integrity: 'sha512-AAAA' }

function faults(
  entry: LockedPackage,
  { name = 'some', installed = null as InstalledPackage | null } = {}
): string {
  return faultsOf({ locked: { [`node_modules/${name}`]: entry }, installed: () => installed }).join('\n')
}

test(
  'the packages that the project takes have no fault, and are listed by licence',
  { timeout: 60_000 },
  async () => {
    const { stdout } = await run('npm', ['run', '--silent', 'check-dependencies'], { cwd: root })
    expect(stdout).toMatch(/^\d+ packages: /m)
    expect(stdout).toMatch(/^shipped, MIT: .*\bfastify \d.*\bthree \d/m)
    expect(stdout).toMatch(/^build and test, MIT: .*\bvitest \d/m)
  }
)

test.each(['MIT', '(MIT OR GPL-3.0-only)', 'Apache-2.0 AND ISC'])(
  'a package under %s may be shipped',
  (license) => {
    expect(faults({ ...sound, license })).toBe('')
  }
)

test.each([
  'GPL-3.0-only',
  'AGPL-3.0-or-later',
  'LGPL-3.0-or-later',
  'MIT AND GPL-2.0-only',
  'SSPL-1.0',
  'MPL-2.0'
])('a package under %s may not', (license) => {
  expect(faults({ ...sound, license })).toMatch(/^some 1\.0\.0 .* which is not allowed$/)
})

test('what only builds and tests may be under more, and still not under the GPL', () => {
  expect(faults({ ...sound, dev: true, license: 'MPL-2.0' })).toBe('')
  expect(faults({ ...sound, dev: true, license: 'GPL-2.0-only' })).toContain('not allowed')
})

test('what is bundled is shipped, whatever it is a dependency for', () => {
  for (const name of bundled)
    expect(faults({ ...sound, dev: true, license: 'MPL-2.0' }, { name })).toContain('not allowed')
})

test('libvips may be under the LGPL, by its name', () => {
  const license = 'Apache-2.0 AND LGPL-3.0-or-later'
  expect(faults({ ...sound, license }, { name: '@img/sharp-libvips-linux-x64' })).toBe('')
  expect(faults({ ...sound, license }, { name: 'sharp-libvips-linux-x64' })).toContain('not allowed')
})

test('a package that says nothing of its licence, or nothing that can be read, is a fault', () => {
  const { license: _, ...silent } = sound
  expect(faults(silent)).toContain('no licence')
  expect(faults({ ...sound, license: 'SEE LICENSE IN x' })).toContain('no SPDX expression')
})

test('a package that is installed otherwise than locked is a fault', () => {
  expect(faults(sound, { installed: { version: '1.0.1', license: 'MIT' } })).toContain('installed as 1.0.1')
  expect(faults(sound, { installed: { version: '1.0.0', license: 'GPL-3.0-only' } })).toContain('not allowed')
})

test('a package without a hash, from elsewhere than a registry, or deprecated, is a fault', () => {
  const { integrity: _, ...unknown } = sound
  expect(faults(unknown)).toContain('SHA-512')
  expect(faults({ ...sound, resolved: 'git+ssh://host/some.git' })).toContain('registry')
  expect(faults({ ...sound, link: true })).toContain('registry')
  expect(faults({ ...sound, deprecated: 'use another' })).toContain('use another')
})

test(
  'the bill of materials names every package that is shipped here, with licence and hash',
  { timeout: 60_000 },
  async () => {
    const { stdout } = await run('npm', ['run', '--silent', 'sbom'], { cwd: root, maxBuffer: 2 ** 26 })
    const bill = JSON.parse(stdout) as {
      bomFormat: string
      components: { name: string; version: string; licenses?: unknown[]; hashes?: unknown[]; purl: string }[]
    }
    expect(bill.bomFormat).toBe('CycloneDX')
    const { '': _, ...locked } = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8'))
      .packages as Record<string, LockedPackage>
    const shipped = Object.entries(locked)
      .filter(([folder, entry]) => isShipped(nameOf(folder), entry) && existsSync(path.join(root, folder)))
      .map(([folder, { version }]) => `${nameOf(folder)} ${version}`)
    expect(shipped.length).toBeGreaterThan(100)
    const named = bill.components.map(({ name, version }) => `${name} ${version}`)
    expect([...new Set(named)].sort()).toEqual([...new Set(shipped)].sort())
    for (const component of bill.components)
      expect(component).toMatchObject({
        licenses: [expect.anything()],
        hashes: [expect.anything()],
        purl: expect.stringMatching(/^pkg:npm\//) as string
      })
  }
)
