import satisfies from 'spdx-satisfies'
import { bundled, developmentLicences, exceptions, saidElsewhere, shippedLicences } from './policy.ts'

/** An entry of package-lock.json (version 3), as far as it is read. */
export interface LockedPackage {
  version?: string
  license?: string
  integrity?: string
  /** Where it comes from, if that is not the registry that npm is set to. */
  resolved?: string
  link?: boolean
  dev?: boolean
  deprecated?: string
}

/** A package.json as it is installed. */
export interface InstalledPackage {
  version: string
  license?: unknown
}

export interface Dependencies {
  /** By path, such as `node_modules/ws`; without the project itself. */
  locked: Readonly<Record<string, LockedPackage>>
  /** Null for a package of another platform, which is not there. */
  installed: (path: string) => InstalledPackage | null
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** Whether something of it is in what a user installs. */
export function isShipped(name: string, { dev }: LockedPackage): boolean {
  return dev !== true || bundled.includes(name)
}

/** What is wrong with the packages that the project takes, a sentence each. */
export function faultsOf({ locked, installed }: Dependencies): string[] {
  return Object.entries(locked).flatMap(([path, entry]) => {
    const name = nameOf(path)
    const found = installed(path)
    return [
      ...licenceFaults(name, entry.license ?? licenceElsewhere(name, entry), isShipped(name, entry)),
      ...(found === null ? [] : installedFaults(name, entry, found)),
      ...sourceFaults(entry),
      ...(entry.deprecated === undefined ? [] : [`is deprecated: ${entry.deprecated}`])
    ].map((fault) => `${name} ${entry.version ?? ''} (${path}) ${fault}`)
  })
}

function licenceFaults(name: string, licence: unknown, isInPackage: boolean): string[] {
  if (typeof licence !== 'string') return ['says no licence that can be read']
  const allowed = [
    ...(isInPackage ? shippedLicences : developmentLicences),
    ...exceptions.filter((exception) => exception.name.test(name)).map((exception) => exception.licence)
  ]
  try {
    return satisfies(licence, allowed) ? [] : [`has the licence ${licence}, which is not allowed`]
  } catch {
    return [`has the licence "${licence}", which is no SPDX expression`]
  }
}

/** The packages by licence, a line each, those that are shipped first. */
export function licenceList(locked: Dependencies['locked']): string[] {
  const lines = new Map<string, Set<string>>()
  const entries = Object.entries(locked).map(([path, entry]) => ({ name: nameOf(path), entry }))
  for (const where of ['shipped', 'build and test'])
    for (const { name, entry } of entries) {
      if (isShipped(name, entry) !== (where === 'shipped')) continue
      const line = `${where}, ${entry.license ?? licenceElsewhere(name, entry) ?? 'unknown'}`
      lines.set(line, (lines.get(line) ?? new Set()).add(`${name} ${entry.version ?? ''}`))
    }
  return [...lines].map(([line, names]) => `${line}: ${[...names].sort().join(', ')}`)
}

function licenceElsewhere(name: string, { version }: LockedPackage): string | undefined {
  return saidElsewhere.find((said) => said.name === name && said.version === version)?.licence
}

/** The lock file has what the registry said; what was unpacked says it again. */
function installedFaults(name: string, entry: LockedPackage, found: InstalledPackage): string[] {
  return [
    ...(found.version === entry.version ? [] : [`is installed as ${found.version}; run npm ci`]),
    ...licenceFaults(
      name,
      found.license ?? entry.license ?? licenceElsewhere(name, entry),
      isShipped(name, entry)
    )
  ]
}

function sourceFaults({ integrity, resolved, link }: LockedPackage): string[] {
  if (link === true || (resolved !== undefined && !resolved.startsWith('https://')))
    return [`does not come from a registry: ${resolved ?? 'a link'}`]
  return integrity?.startsWith('sha512-') === true ? [] : ['has no SHA-512 in the lock file']
}
