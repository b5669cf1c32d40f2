import { readFile } from 'node:fs/promises'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../..')

/** The packages that files of a bundle came from, by what esbuild says of its inputs. */
export function packagesOf(inputs: readonly string[]): string[] {
  const names = inputs.flatMap((input) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [])
  return [...new Set(names)].sort()
}

/** What their licences want to be with every copy of them. Throws where a package has no such text. */
export async function noticesOf(packages: readonly string[]): Promise<string> {
  const notices = await Promise.all(
    packages.map(async (name) => {
      const folder = path.join(root, 'node_modules', name)
      const { version } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
        version: string
      }
      return `${name} ${version}\n\n${(await readFile(path.join(folder, 'LICENSE'), 'utf8')).trim()}\n`
    })
  )
  return ['The scripts of this page have in them:\n', ...notices].join('\n')
}
