import helmet from '@fastify/helmet'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyPluginAsync } from 'fastify'
import { LeadlineError } from '../../errors.ts'
import { sendFile } from '../send-file.ts'

export interface PageRoutesOptions {
  /** Where the page was built. */
  folder: string
}

/** Where `npm run build` puts the page: in dist, beside this room, or seen from the sources. */
export const builtPageFolder = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/web' : '../../web', import.meta.url)
)

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml'
}

/** The page at `/`, which shows live depth in a browser. It is all there is beside the interface, and asks for no key. */
export const pageRoutes: FastifyPluginAsync<PageRoutesOptions> = async (app, { folder }) => {
  const options = { config: { access: 'everybody' }, schema: { hide: true }, logLevel: 'warn' } as const
  const names = await readdir(folder).catch((): string[] => [])
  if (!names.includes('index.html')) {
    app.get('/', options, () => {
      throw new LeadlineError('ROUTE_UNKNOWN', 'The page was not built; "npm run build" builds it')
    })
    return
  }
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: policy },
    // Whether there is TLS is for whoever is in front to know.
    strictTransportSecurity: false
  })
  for (const name of names) {
    const file = {
      filePath: path.join(folder, name),
      mediaType: mediaTypes[path.extname(name)] ?? 'text/plain',
      name: null
    }
    app.get(name === 'index.html' ? '/' : `/${name}`, options, (request, reply) => {
      // A browser asks each time, and hears 304 until there is another build.
      reply.header('cache-control', 'no-cache')
      return sendFile(file, request, reply)
    })
  }
}

/** Nothing from elsewhere, nothing inline. Pictures and videos are also those that the page makes itself. */
const policy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'blob:'],
  mediaSrc: ["'self'", 'blob:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"]
}
