import path from 'node:path'
import type { Config } from '../config.ts'
import { dataPath } from '../data-path.ts'
import { LeadlineError } from '../errors.ts'
import { isLoopback } from '../loopback.ts'
import { RedisConnections, RedisKeys } from '../sessions/index.ts'
import type { Log } from '../sessions/index.ts'
import { keyState } from './access-key.ts'
import { Access } from './access.ts'
import { FolderKeyStore } from './folder/folder-key-store.ts'
import type { KeyStore } from './key-store.ts'
import { MemoryTicketStore } from './memory/memory-ticket-store.ts'
import { RedisKeyStore } from './redis/redis-key-store.ts'
import { RedisTicketStore } from './redis/redis-ticket-store.ts'
import type { TicketStore } from './ticket-store.ts'

type AccessConfig = Pick<Config, 'auth' | 'host' | 'redisUrl' | 'keyPrefix' | 'dataDir' | 'stateDir' | 'port'>

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
  const access = new Access({ ...stores, isOpenAtFirst, log })
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
export async function openKeyStore(config: AccessConfig, log: Log): Promise<KeyStore> {
  return (await openStores(config, log)).keys
}

/** All of them close with the keys. */
async function openStores(config: AccessConfig, log: Log): Promise<{ keys: KeyStore; tickets: TicketStore }> {
  const place = keyPlace(config)
  if (place === null)
    throw new LeadlineError(
      'CONFIG_INVALID',
      'A server on any free port, or of a user without a home folder, has no place for keys; set LEADLINE_DATA_DIR, or REDIS_URL'
    )
  if ('folder' in place) return { keys: new FolderKeyStore(place.folder), tickets: new MemoryTicketStore() }
  const redis = await RedisConnections.open(place.redisUrl, log, config.keyPrefix)
  const names = new RedisKeys(config.keyPrefix)
  return { keys: new RedisKeyStore(redis, names), tickets: new RedisTicketStore(redis, names) }
}

function keyPlace(config: AccessConfig): { folder: string } | { redisUrl: string } | null {
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
