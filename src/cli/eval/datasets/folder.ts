import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../../../errors.ts'

/** "10.png" comes after "9.png". */
const { compare } = new Intl.Collator('en', { numeric: true })

export function isFolder(folder: string): Promise<boolean> {
  return stat(folder).then(
    (found) => found.isDirectory(),
    () => false
  )
}

export function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false
  )
}

/** Files whose name fits, in the order of their numbers. Throws DATA_INVALID with `remedy` when there is none. */
export async function listFiles(folder: string, pattern: RegExp, remedy: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new LeadlineError('DATA_INVALID', `${folder} cannot be read; ${remedy}`, { cause })
  })
  const files = names.filter((name) => pattern.test(name)).sort(compare)
  if (files.length > 0) return files.map((name) => path.join(folder, name))
  throw new LeadlineError('DATA_INVALID', `${folder} holds no file like ${pattern.source}; ${remedy}`)
}

/** `folder` itself when it holds `marker`, or else those of its folders that do; none is an empty list. */
export async function foldersWith(folder: string, marker: string): Promise<string[]> {
  if (await exists(path.join(folder, marker))) return [folder]
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = entries.filter((entry) => !entry.isFile()).map(({ name }) => name)
  const found = await Promise.all(names.map((name) => exists(path.join(folder, name, marker))))
  return names
    .filter((_, i) => found[i])
    .sort(compare)
    .map((name) => path.join(folder, name))
}

/** Lines that are neither empty nor begin with "#". Throws DATA_INVALID with `remedy`. */
export async function readLines(file: string, remedy: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LeadlineError('DATA_INVALID', `${file} cannot be read; ${remedy}`, { cause })
  })
  return text.split(/\r?\n/).filter((line) => /^\s*[^#\s]/.test(line))
}

/** The numbers of a matrix in text, row by row; "inf" and "nan" in any spelling are kept as such. Throws DATA_INVALID. */
export async function readMatrix(file: string, sizes: readonly number[], remedy: string): Promise<number[]> {
  const values = (await readLines(file, remedy)).flatMap((line) => line.trim().split(/[\s,]+/)).map(number)
  if (sizes.includes(values.length)) return values
  throw new LeadlineError(
    'DATA_INVALID',
    `${file} has ${values.length} numbers, not ${sizes.join(' or ')}; ${remedy}`
  )
}

function number(word: string): number {
  const infinite = /^([+-]?)inf(inity)?$/i.exec(word)
  return infinite === null ? Number(word) : infinite[1] === '-' ? -Infinity : Infinity
}

/** The file of `folder` that is named like `file` but for its ending. Throws DATA_INVALID with `remedy`. */
export async function partner(
  file: string,
  folder: string,
  extension: string,
  remedy: string
): Promise<string> {
  const wanted = path.join(folder, `${path.parse(file).name}${extension}`)
  if (await exists(wanted)) return wanted
  throw new LeadlineError('DATA_INVALID', `${file} has no ${wanted}; ${remedy}`)
}

/** One after the other: a scene has thousands of files, more than a process may have open at once. */
export async function inTurn<T, R>(items: readonly T[], read: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await read(item))
  return results
}
