import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import Value from 'typebox/value'
import type { Clip, ResultName } from './clip.ts'
import { clipSchema, resultFiles } from './clip.ts'

/**
 * Clips on disk: one folder each, with clip.json, the results, and while it runs the clip itself. A folder belongs to one
 * gateway: two must not share a root.
 */
export class ClipStore {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  folder(id: string): string {
    return path.join(this.#root, id)
  }

  sourcePath(id: string): string {
    return path.join(this.folder(id), 'clip')
  }

  resultPath(id: string, name: ResultName): string {
    return path.join(this.folder(id), resultFiles[name].file)
  }

  /** For its owner alone: a clip may show what is nobody else's business. */
  async create(id: string): Promise<void> {
    await mkdir(this.folder(id), { recursive: true, mode: 0o700 })
  }

  async save(clip: Clip): Promise<void> {
    const rowPath = path.join(this.folder(clip.id), 'clip.json')
    await writeFile(`${rowPath}.part`, JSON.stringify(clip, null, 2))
    await rename(`${rowPath}.part`, rowPath)
  }

  /** Every clip of an earlier life. Folders whose upload never ended are removed. */
  async load(): Promise<Clip[]> {
    const ids = await readdir(this.#root).catch(() => [])
    const clips = await Promise.all(ids.map((id) => this.#read(id)))
    return clips.filter((clip) => clip !== null).sort((a, b) => a.createdAt.localeCompare(b.createdAt))
  }

  /** Keep the row and what `keep` names. */
  async tidy(id: string, keep: readonly ResultName[]): Promise<void> {
    const kept = ['clip.json', ...keep.map((name) => resultFiles[name].file)]
    const files = await readdir(this.folder(id)).catch(() => [])
    const rest = files.filter((file) => !kept.includes(file))
    await Promise.all(
      rest.map((file) => rm(path.join(this.folder(id), file), { force: true, recursive: true }))
    )
  }

  async remove(id: string): Promise<void> {
    await rm(this.folder(id), { recursive: true, force: true })
  }

  async #read(id: string): Promise<Clip | null> {
    const row = await readFile(path.join(this.folder(id), 'clip.json'), 'utf8').catch(() => null)
    const clip: unknown = row === null ? null : JSON.parse(row)
    if (Value.Check(clipSchema, clip)) return clip
    await this.remove(id)
    return null
  }
}
