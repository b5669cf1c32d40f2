import path from 'node:path'
import type { Config } from '../config.ts'
import { dataPath } from '../machine/data-path.ts'
import { LeadlineError } from '../errors.ts'
import { isLoopback } from '../machine/loopback.ts'
import { RedisConnections, RedisKeys } from '../sessions/index.ts'
import type { Log } from '../sessions/index.ts'
import { keyState } from './access-key.ts'
import { Access } from './access.ts'
import type { AccessOptions } from './access.ts'
import { FolderKeyStore } from './folder/folder-key-store.ts'
import type { KeyStore } from './key-store.ts'
import { alone } from './limits/flow.ts'
import { RequestMeter } from './limits/request-meter.ts'
import { MemoryTicketStore } from './memory/memory-ticket-store.ts'
import { RedisFlowExchange } from './redis/redis-flow-exchange.ts'
import { RedisKeyStore } from './redis/redis-key-store.ts'
import { RedisTicketStore } from './redis/redis-ticket-store.ts'

type PlaceConfig = Pick<Config, 'redisUrl' | 'keyPrefix' | 'dataDir' | 'stateDir' | 'port'>
type AccessConfig = PlaceConfig & Pick<Config, 'auth' | 'host' | 'refusalsPerMinute'>
type Stores = Pick<AccessOptions, 'keys' | 'tickets' | 'exchange' | 'requests'>

/**
 * Who may use the gateway that this is the configuration of. Throws CONFIG_INVALID where it would be open to others than
 * this machine without anybody having said so, and what reading the keys throws.
 */
export async function openAccess(config: AccessConfig, log: Log): Promise<Access> {
  const { auth, host } = config
  if (auth === 'off') {
    if (!isLoopback(host)) log.warn({ host }, 'whoever reaches this address is let in: LEADLINE_AUTH is off')
    return new Access(null)
  }
  const isOpenAtFirst = auth === 'auto' && isLoopback(host)
  if (isOpenAtFirst && keyPlace(config) === null) return new Access(null)
  const stores = await openStores(config, log)
  const { refusalsPerMinute } = config
  const access = new Access({ ...stores, isOpenAtFirst, refusalsPerMinute, log })
  try {
    await access.start()
    if (auth === 'auto' && !isOpenAtFirst) await requireAnyKey(stores.keys, host)
    return access
  } catch (error) {
    await access.close()
    throw error
  }
}

/** Where the keys of this configuration lie. Throws CONFIG_INVALID where they have no place, and STORE_UNAVAILABLE. */
export async function openKeyStore(config: PlaceConfig, log: Log): Promise<KeyStore> {
  return (await openStores(config, log)).keys
}

/** All of them close with the keys. */
async function openStores(config: PlaceConfig, log: Log): Promise<Stores> {
  const place = keyPlace(config)
  if (place === null)
    throw new LeadlineError(
      'CONFIG_INVALID',
      'A server on any free port, or of a user without a home folder, has no place for keys; set LEADLINE_DATA_DIR, or REDIS_URL'
    )
  if ('folder' in place) {
    const ofThisProcess = {
      tickets: new MemoryTicketStore(),
      exchange: alone,
      requests: new RequestMeter(null)
    }
    return { keys: new FolderKeyStore(place.folder), ...ofThisProcess }
  }
  const connections = await RedisConnections.open(place.redisUrl, log, config.keyPrefix)
  const names = new RedisKeys(config.keyPrefix)
  return {
    keys: new RedisKeyStore(connections, names),
    tickets: new RedisTicketStore(connections, names),
    exchange: new RedisFlowExchange(connections, names),
    requests: new RequestMeter({ connections, keys: names })
  }
}

function keyPlace(config: PlaceConfig): { folder: string } | { redisUrl: string } | null {
  if (config.redisUrl !== null) return { redisUrl: config.redisUrl }
  const folder = dataPath(config)
  return folder === null ? null : { folder: path.join(folder, 'keys') }
}

async function requireAnyKey(store: KeyStore, host: string): Promise<void> {
  const keys = await store.list()
  if (keys.some((key) => keyState(key, Date.now()) === 'valid')) return
  throw new LeadlineError(
    'CONFIG_INVALID',
    `At ${host} others than this machine can connect, and there is no key that lets them in: make one with ` +
      '"leadline keys create NAME", or let everybody in with --insecure (LEADLINE_AUTH=off)'
  )
}
