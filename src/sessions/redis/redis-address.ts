import { LeadlineError } from '../../errors.ts'

export interface RedisNode {
  host: string
  port: number
}

/** As ioredis takes it. */
interface Access {
  username?: string
  password?: string
  tls?: object
  db?: number
  sentinelPassword?: string
  enableTLSForSentinelMode?: boolean
  sentinelTLS?: object
}

/** Where Redis is: one server, the master that sentinels name, or the node of a cluster that owns our slot. */
export type RedisAddress =
  | { kind: 'server'; url: string }
  | { kind: 'sentinel'; nodes: RedisNode[]; name: string; options: Access }
  | { kind: 'cluster'; nodes: RedisNode[]; options: Access }

const forms =
  'redis://HOST:PORT, redis+sentinel://HOST:PORT,HOST:PORT/MASTER or redis+cluster://HOST:PORT,HOST:PORT, ' +
  'with rediss for TLS and USER:PASSWORD@ before the first host'

/** `redis+sentinel://user:password@host:port,host:port/master?db=0&sentinelPassword=…`, `redis+cluster://…`, or a URL of one server. */
const several = /^redis(s?)\+(sentinel|cluster):\/\/(?:(.*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/
const defaultPorts = { sentinel: 26379, cluster: 6379 }

/** Throws CONFIG_INVALID, and does not repeat what may be a password. */
export function parseRedisUrl(url: string): RedisAddress {
  const [matched, secure, kind, login, hosts = '', name = '', query] = several.exec(url) ?? []
  if (matched === undefined) {
    if (/^rediss?\+/.test(url)) throw notValid('cannot be read')
    return { kind: 'server', url }
  }
  const isSentinel = kind === 'sentinel'
  const settings = new URLSearchParams(query)
  const options = {
    ...loginOf(login),
    ...(secure ? { tls: {}, ...(isSentinel ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}) } : {})
  }
  const nodes = hosts
    .split(',')
    .map((host) => nodeOf(host, defaultPorts[isSentinel ? 'sentinel' : 'cluster']))
  if (!isSentinel) {
    if (name !== '') throw notValid('has a path, and a cluster has one database')
    return { kind: 'cluster', nodes, options }
  }
  if (name === '') throw notValid('names no master after the sentinels')
  const db = Number(settings.get('db') ?? 0)
  if (!Number.isInteger(db) || db < 0) throw notValid(`names the database "${settings.get('db')}"`)
  const sentinelPassword = settings.get('sentinelPassword')
  return {
    ...{ kind: 'sentinel', nodes, name: decodeURIComponent(name) },
    options: { ...options, db, ...(sentinelPassword === null ? {} : { sentinelPassword }) }
  }
}

function loginOf(login: string | undefined): Access {
  if (login === undefined) return {}
  const colon = login.indexOf(':')
  if (colon < 0) return { username: decodeURIComponent(login) }
  const username = decodeURIComponent(login.slice(0, colon))
  const password = decodeURIComponent(login.slice(colon + 1))
  return { ...(username === '' ? {} : { username }), password }
}

function nodeOf(text: string, defaultPort: number): RedisNode {
  const [, host, port] = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text.trim()) ?? []
  if (host === undefined) throw notValid('has a host that cannot be read')
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? defaultPort : Number(port) }
}

function notValid(why: string): LeadlineError {
  return new LeadlineError('CONFIG_INVALID', `REDIS_URL ${why}; it may be ${forms}`)
}

/** A Redis URL as it may be shown: where it is, nothing of who. One that cannot be read may have a password anywhere. */
export function withoutPassword(url: string): string {
  const [matched, secure, kind, , hosts, name = ''] = several.exec(url) ?? []
  if (matched !== undefined) return `redis${secure}+${kind}://${hosts}${name === '' ? '' : `/${name}`}`
  const { protocol, host, pathname } = URL.canParse(url)
    ? new URL(url)
    : { protocol: '', host: '', pathname: '' }
  return protocol === 'redis:' || protocol === 'rediss:'
    ? `${protocol}//${host}${pathname}`
    : 'the address in REDIS_URL'
}
