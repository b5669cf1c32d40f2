import path from 'node:path'
import { build } from 'esbuild'

const root = path.resolve(import.meta.dirname, '../..')

export interface BuiltClient {
  code: Uint8Array
  /** What it asks for besides, and how. */
  imports: readonly { path: string; kind: string }[]
}

/** The exports of the package that are files of their own, by name. */
const entries = { client: 'src/client/index.ts', clips: 'src/client/clips/index.ts' } as const

/**
 * A part of the SDK as one file for browsers and Node. What Node alone needs is imported when it is needed: a browser never
 * asks for it.
 */
export async function buildClient(name: keyof typeof entries): Promise<BuiltClient> {
  const { outputFiles, metafile } = await build({
    entryPoints: [path.join(root, entries[name])],
    ...{ bundle: true, minify: true, format: 'esm', platform: 'neutral', target: 'es2022', write: false },
    ...{ external: ['ws'], metafile: true }
  })
  const [output] = Object.values(metafile.outputs)
  return { code: outputFiles[0]!.contents, imports: output!.imports }
}
