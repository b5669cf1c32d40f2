import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Access, Caller, Scope } from '../../access/index.ts'
import { requireScope } from '../../access/index.ts'
import { asLeadlineError, LeadlineError } from '../../errors.ts'
import { ticketPrefix } from '../../wire/control-text.ts'
import { challenge } from '../challenge.ts'
import { keepTo } from '../keep-to.ts'
import { offeredSubprotocols } from '../offered-subprotocols.ts'
import type { Addresses } from './addresses.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route: whoever has a key with this scope, or any key, or everybody. Every route says it. */
    access?: Scope | 'anyKey' | 'everybody'
  }
  interface FastifyRequest {
    /** Of a route that asks for a key. */
    caller: Caller
  }
}

/** Ask for a key at every route that does not let everybody in. A route that does not say is not made. */
export function askForKeys(app: FastifyInstance, access: Access, addresses: Addresses): void {
  app.decorateRequest('caller')
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined)
      throw new LeadlineError('INTERNAL', `${method} ${url} does not say who may use it`)
  })
  app.addHook('onRequest', async (request, reply) => {
    const wanted = request.routeOptions.config.access
    if (request.is404 || wanted === undefined || wanted === 'everybody') return
    const scope = wanted === 'anyKey' ? null : wanted
    try {
      request.caller = await identify(access, request)
      name(request, reply)
      if (scope !== null) requireScope(request.caller, scope)
    } catch (error) {
      const failure = asLeadlineError(error)
      const header = challenge(failure, { scope, isShown: hasShown(request) })
      if (header !== null) reply.header('www-authenticate', header)
      if (failure.code === 'UNAUTHENTICATED') keepTo(await access.countRefusal(request.ip), 'refusals', reply)
      throw error
    }
    // A stream has still to say what it wants.
    if (!request.ws) addresses.prove(request.raw.socket)
    keepTo(await access.countRequest(request.caller), 'requests', reply)
  })
}

/** By key, or by ticket at a WebSocket; by both at once nobody is (RFC 6750, 2). */
function identify(access: Access, request: FastifyRequest): Promise<Caller> {
  const [key, ticket] = [bearerToken(request), ticketOf(request)]
  if (ticket === null) return access.identify(key)
  if (key === null) return access.redeem(ticket)
  throw new LeadlineError('REQUEST_INVALID', 'Show a key or a ticket, not both')
}

function hasShown(request: FastifyRequest): boolean {
  return bearerToken(request) !== null || ticketOf(request) !== null
}

/** From here on the lines of the request say whose it is. */
function name(request: FastifyRequest, reply: FastifyReply): void {
  const { key } = request.caller
  if (key === null) return
  request.log = request.log.child({ key: key.name })
  reply.log = request.log
}

/** Of `Authorization: Bearer` (RFC 6750, 2.1); null where there is none. Other schemes are for whoever is in front. */
function bearerToken({ headers }: FastifyRequest): string | null {
  return /^bearer +([\w.~+/-]+=*) *$/i.exec(headers.authorization ?? '')?.[1] ?? null
}

/** Of the subprotocols that a WebSocket offers: the one place where a page can put it (RFC 6455, 4.1). */
function ticketOf({ ws, headers }: FastifyRequest): string | null {
  if (!ws) return null
  const offered = offeredSubprotocols(headers).find((name) => name.startsWith(ticketPrefix))
  return offered?.slice(ticketPrefix.length) ?? null
}
