import { readFileSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { run, temporaryFolder } from '../video/clip-file.ts'

export const root = path.resolve(import.meta.dirname, '..', '..')
export const infra = path.join(root, 'infra')

export function readInfra(file: string): string {
  return readFileSync(path.join(infra, file), 'utf8')
}

/** With `<<` merged, as those who read these files do. */
export function readYaml<Content>(file: string): Content {
  return parse(readInfra(file), { merge: true }) as Content
}

/** A copy of `infra`, with one text replaced by another in one of its files, which must have it. */
export async function copyOfInfra(mistake?: { file: string; from: string; to: string }): Promise<string> {
  const copy = path.join(await temporaryFolder(), 'infra')
  await cp(infra, copy, { recursive: true })
  if (mistake === undefined) return copy
  const before = readInfra(mistake.file)
  if (!before.includes(mistake.from)) throw new Error(`${mistake.file} has no "${mistake.from}"`)
  await writeFile(path.join(copy, mistake.file), before.replaceAll(mistake.from, mistake.to))
  return copy
}

export interface KubernetesObject {
  kind: string
  metadata: { name: string; labels?: Record<string, string> }
  spec: Record<string, unknown>
  data?: Record<string, string>
}

/** What `kubectl apply -k` would send. */
export async function rendered(folder: string): Promise<{ text: string; objects: KubernetesObject[] }> {
  const { stdout: text } = await run('kubectl', ['kustomize', folder])
  return { text, objects: parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject) }
}

/** The units as on a machine where they are installed, beside those that its systemd brings. */
export async function unitsRoot(from = infra): Promise<string> {
  const folder = await temporaryFolder()
  const bin = path.join(folder, 'opt/leadline/node_modules/.bin')
  await mkdir(bin, { recursive: true })
  await writeFile(path.join(bin, 'leadline'), '#!/bin/sh\n', { mode: 0o755 })
  await cp('/usr/lib/systemd/system', path.join(folder, 'usr/lib/systemd/system'), {
    ...{ recursive: true, verbatimSymlinks: true }
  })
  const units = path.join(folder, 'etc/systemd/system')
  await cp(path.join(from, 'systemd'), units, { recursive: true })
  await cp(path.join(from, 'systemd/gpu'), units, { recursive: true })
  return folder
}
