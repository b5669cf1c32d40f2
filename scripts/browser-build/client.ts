import path from 'node:path'
import { build } from 'esbuild'

const root = path.resolve(import.meta.dirname, '../..')

/**
 * The SDK as one file for browsers and Node. What Node alone needs is imported when it is needed: a browser never asks for it.
 */
export async function buildClient(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [path.join(root, 'src/client/index.ts')],
    ...{ bundle: true, minify: true, format: 'esm', platform: 'neutral', target: 'es2022', write: false },
    external: ['ws']
  })
  return outputFiles[0]!.contents
}
