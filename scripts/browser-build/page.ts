import { chmod, cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'
import { noticesOf, packagesOf } from './notices.ts'

const source = path.resolve(import.meta.dirname, '../../src/web')

/**
 * The page that a gateway serves, as a folder of its own. What only the view in space needs is a file of its own. Two builds
 * at once do no harm: each is put in its place as a whole. Tells which packages are in it, of which third-party.txt has the
 * licences.
 */
export async function buildPage(folder: string): Promise<string[]> {
  await mkdir(path.dirname(folder), { recursive: true })
  const made = await mkdtemp(`${folder}-`)
  const { metafile } = await build({
    entryPoints: { page: path.join(source, 'main.ts') },
    ...{ outdir: made, bundle: true, minify: true, splitting: true, format: 'esm', target: 'es2022' },
    ...{ chunkNames: '[name]-[hash]', legalComments: 'eof', external: ['ws'], logLevel: 'warning' },
    metafile: true
  })
  for (const name of ['index.html', 'page.css', 'icon.svg'])
    await cp(path.join(source, name), path.join(made, name))
  const packages = packagesOf(Object.keys(metafile.inputs))
  await writeFile(path.join(made, 'third-party.txt'), await noticesOf(packages))
  // A temporary folder is for its maker alone, and who serves the page may be somebody else.
  await chmod(made, 0o755)
  await rm(folder, { recursive: true, force: true })
  await rename(made, folder).catch(() => rm(made, { recursive: true }))
  return packages
}
