import { Redis } from 'ioredis'
import { clusterConnector } from './cluster-connector.ts'
import { withPatientSocket } from './patient-socket.ts'
import type { RedisAddress } from './redis-address.ts'

export const connectTimeoutMs = 3000
export const disconnectTimeoutMs = 200
const longestRetryMs = 250

/** What is unanswered when the connection breaks fails; whether to send it again is for the sender to say. */
export const failFast: WaitOptions = {
  ...{ maxRetriesPerRequest: 0, enableOfflineQueue: false },
  autoResendUnfulfilledCommands: false
}

interface WaitOptions {
  lazyConnect?: boolean
  /** null: wait for Redis however long it takes. */
  maxRetriesPerRequest: number | null
  enableOfflineQueue?: boolean
  autoResendUnfulfilledCommands?: boolean
}

export interface RedisTarget {
  address: RedisAddress
  /** For people. */
  url: string
  keyPrefix: string
}

/** Starts to connect. What becomes of commands meanwhile is for `options` to say. */
export function createRedis(target: RedisTarget, options: WaitOptions & { socketTimeout: number }): Redis {
  return withPatientSocket(connectTo(target, options))
}

function connectTo(
  { address, keyPrefix }: RedisTarget,
  options: WaitOptions & { socketTimeout: number }
): Redis {
  const all = {
    connectTimeout: connectTimeoutMs,
    // A Redis that hangs does not take part in closing a connection either.
    disconnectTimeout: disconnectTimeoutMs,
    retryStrategy,
    ...options
  }
  switch (address.kind) {
    case 'server':
      return new Redis(address.url, all)
    case 'sentinel': {
      const sentinel = { sentinels: address.nodes, name: address.name }
      return new Redis({ ...all, ...address.options, ...sentinel, sentinelRetryStrategy: retryStrategy })
    }
    case 'cluster':
      return new Redis({
        ...{ ...all, ...address.options },
        Connector: clusterConnector(address.nodes, `{${keyPrefix}}`)
      })
  }
}

function retryStrategy(attempt: number): number {
  return Math.min(50 * attempt, longestRetryMs)
}
