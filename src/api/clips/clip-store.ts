import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import type { Dirent } from 'node:fs'
import path from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import Value from 'typebox/value'
import type { Clip, ResultName } from './clip.ts'
import { clipSchema, resultFiles } from './clip.ts'

const rowFile = 'clip.json'
/** In every folder that a store made, from the beginning: what lies in such a folder may be deleted, and nothing else. */
const markerFile = '.leadline-clip'

/**
 * Clips on disk: one folder each, with clip.json, the results, and while it runs the clip itself. Whoever has the store
 * holds the folder they lie in; what else lies there is somebody's, and stays.
 */
export class ClipStore {
  readonly #root: string
  readonly #log: FastifyBaseLogger

  constructor(root: string, log: FastifyBaseLogger) {
    this.#root = root
    this.#log = log
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
    await mkdir(this.folder(id), { mode: 0o700 })
    await writeFile(path.join(this.folder(id), markerFile), '')
  }

  /** On the disk itself when it resolves, so that a power loss leaves this row or the one before. */
  async save(clip: Clip): Promise<void> {
    const rowPath = path.join(this.folder(clip.id), rowFile)
    await writeFile(`${rowPath}.part`, JSON.stringify(clip, null, 2), { flush: true })
    await rename(`${rowPath}.part`, rowPath)
  }

  /**
   * Every clip of an earlier life. Folders of its own whose upload never ended are removed; whatever else cannot be read
   * as a clip is named in the log and left as it is.
   */
  async load(): Promise<Clip[]> {
    const clips: Clip[] = []
    // One after another: thousands of clips must not need thousands of open files.
    for (const entry of await readdir(this.#root, { withFileTypes: true })) {
      const clip = await this.#load(entry).catch((error: unknown) => this.#leave(entry.name, error))
      if (clip !== null) clips.push(clip)
    }
    return clips.sort((a, b) => a.createdAt.localeCompare(b.createdAt))
  }

  /** Keep the row and what `keep` names. */
  async tidy(id: string, keep: readonly ResultName[]): Promise<void> {
    const kept = [rowFile, markerFile, ...keep.map((name) => resultFiles[name].file)]
    const files = await readdir(this.folder(id))
    const rest = files.filter((file) => !kept.includes(file))
    await Promise.all(
      rest.map((file) => rm(path.join(this.folder(id), file), { force: true, recursive: true }))
    )
  }

  async remove(id: string): Promise<void> {
    await rm(this.folder(id), { recursive: true, force: true })
  }

  /** null where an upload was removed. Throws what says why it is no clip. */
  async #load(entry: Dirent): Promise<Clip | null> {
    const id = entry.name
    if (!entry.isDirectory()) throw new Error('it is no folder')
    const row = await readFile(path.join(this.folder(id), rowFile), 'utf8').catch(nullWhereNone)
    if (row === null) {
      const marker = await stat(path.join(this.folder(id), markerFile)).catch(nullWhereNone)
      if (marker === null) throw new Error(`it has no ${rowFile}`)
      await this.remove(id)
      return null
    }
    const clip: unknown = JSON.parse(row)
    if (!Value.Check(clipSchema, clip)) throw new Error(`its ${rowFile} is not a clip's`)
    if (clip.id !== id) throw new Error(`its ${rowFile} is that of clip ${clip.id}`)
    return clip
  }

  #leave(name: string, error: unknown): null {
    const reason = error instanceof Error ? error.message : String(error)
    this.#log.warn(
      { path: this.folder(name), reason },
      'left alone in the folder of clips: it cannot be read as one'
    )
    return null
  }
}

function nullWhereNone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
