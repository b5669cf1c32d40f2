import path from 'node:path'
import type { Config } from '../config.ts'
import { dataPath } from '../machine/data-path.ts'
import type { Log } from '../sessions/index.ts'
import { RedisConnections } from '../sessions/index.ts'
import { FolderUsageStore } from './folder/folder-usage-store.ts'
import { MemoryUsageStore } from './memory/memory-usage-store.ts'
import { RedisMeter } from './redis/redis-meter.ts'
import { RedisUsageStore } from './redis/redis-usage-store.ts'
import { UsageKeys } from './redis/usage-keys.ts'
import type { UsageStore } from './usage-store.ts'

type UsageConfig = Pick<Config, 'redisUrl' | 'keyPrefix' | 'dataDir' | 'stateDir' | 'port'>

/**
 * Where the usage of this server is kept: in its Redis, else in its data folder, else, since it has none, for as long as it
 * runs. Throws STORE_UNAVAILABLE, STORAGE_UNUSABLE and STORAGE_FULL.
 */
export async function openUsage(config: UsageConfig, log: Log): Promise<UsageStore> {
  const { redisUrl, keyPrefix } = config
  if (redisUrl !== null)
    return new RedisUsageStore(
      await RedisConnections.open(redisUrl, log, keyPrefix),
      new UsageKeys(keyPrefix)
    )
  const folder = dataPath(config)
  return folder === null ? new MemoryUsageStore() : FolderUsageStore.open(path.join(folder, 'usage'), log)
}

/** Of a worker, over the connections of its own. */
export function usageMeter(redis: RedisConnections, { keyPrefix }: Pick<Config, 'keyPrefix'>): RedisMeter {
  return new RedisMeter(redis, new UsageKeys(keyPrefix))
}
