import net from 'node:net'
import tls from 'node:tls'
import { AbstractConnector, Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'
import type { RedisNode } from './redis-address.ts'

/** How long a node may take to say who owns the slot. */
const askTimeoutMs = 1000

type ClusterConnector = new (options: unknown) => AbstractConnector

/**
 * Connects to the node of a cluster that owns the slot of our keys: they all lie in one (see Keys). Everything else then
 * is as with one server. When the slot moves, or its node dies, the connection is made anew, and that asks again.
 */
export function clusterConnector(nodes: readonly RedisNode[], hashTag: string): ClusterConnector {
  return class extends AbstractConnector {
    readonly #options: RedisOptions

    constructor(options: unknown) {
      super((options as RedisOptions).disconnectTimeout ?? 0)
      this.#options = options as RedisOptions
    }

    override async connect(): Promise<net.Socket> {
      this.connecting = true
      const owner = await findOwner(nodes, hashTag, this.#options)
      if (!this.connecting) throw new Error('Connection is closed.')
      const stream = this.#options.tls ? tls.connect({ ...this.#options.tls, ...owner }) : net.connect(owner)
      stream.once('error', (error) => (this.firstError = error))
      this.stream = stream
      return stream
    }
  }
}

/** The first answer of those that give one. */
async function findOwner(
  nodes: readonly RedisNode[],
  hashTag: string,
  options: RedisOptions
): Promise<RedisNode> {
  try {
    return await Promise.any(nodes.map((node) => askFor(node, hashTag, options)))
  } catch (error) {
    const causes = error instanceof AggregateError ? error.errors : [error]
    throw new Error(`no node of the cluster says who owns the slot of "${hashTag}": ${String(causes[0])}`)
  }
}

async function askFor(node: RedisNode, hashTag: string, options: RedisOptions): Promise<RedisNode> {
  const { username, password, tls } = options
  const redis = new Redis({
    ...{ ...node, username, password, tls, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 },
    ...{ enableReadyCheck: false, connectTimeout: askTimeoutMs, commandTimeout: askTimeoutMs }
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    const slot = (await redis.call('CLUSTER', 'KEYSLOT', hashTag)) as number
    const ranges = (await redis.call('CLUSTER', 'SLOTS')) as [number, number, [string | null, number]][]
    const [, , owner] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? []
    if (!owner) throw new Error(`slot ${slot} has no owner`)
    // A node that does not know its own name leaves it out.
    return { host: owner[0] || node.host, port: owner[1] }
  } finally {
    redis.disconnect()
  }
}
