import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LeadlineError } from '../../errors.ts'

/**
 * Answer the methods that a path does not have: OPTIONS, unless it has its own, with those it has, the others with 405. To
 * be called before the first route is made; the result, after the last.
 */
export function knowMethods(app: FastifyInstance): () => void {
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methodsOf.get(url) ?? new Set()
    for (const name of [method].flat()) known.add(name)
    methodsOf.set(url, known)
  })
  return () => {
    for (const [url, known] of [...methodsOf]) {
      const allow = [...new Set([...known, 'OPTIONS'])].sort().join(', ')
      const options = {
        url,
        logLevel: 'warn',
        config: { access: 'everybody' },
        schema: { hide: true }
      } as const
      if (!known.has('OPTIONS'))
        app.route({
          ...options,
          method: 'OPTIONS',
          handler: (_, reply) => reply.code(204).header('allow', allow).send()
        })
      app.route({
        ...options,
        method: app.supportedMethods.filter((name) => name !== 'OPTIONS' && !known.has(name)),
        // Before its body is read, whatever that is.
        onRequest: async (request, reply) => refuse(request, reply, allow),
        handler: () => undefined
      })
    }
  }
}

function refuse({ method, url }: FastifyRequest, reply: FastifyReply, allow: string): never {
  reply.header('allow', allow)
  throw new LeadlineError('METHOD_UNKNOWN', `${url.split('?', 1)[0]} has no ${method}; it has ${allow}`)
}
