import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** A program that another process or thread is to run. */
export interface Entry {
  path: string
  /** From source it needs tsx to read TypeScript. */
  execArgv: string[]
}

/** The program `name` beside the module `importer` (its import.meta.url), in the same language as that. */
export function entryBeside(importer: string, name: string): Entry {
  const extension = importer.endsWith('.ts') ? 'ts' : 'js'
  return {
    path: fileURLToPath(new URL(`./${name}.${extension}`, importer)),
    execArgv: extension === 'ts' ? ['--import', tsxLoader()] : []
  }
}

/** As a URL, since `--import` of a bare name would be looked up from the working directory. */
function tsxLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
}
