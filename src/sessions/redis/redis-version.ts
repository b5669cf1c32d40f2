import type { Redis } from 'ioredis'
import { LeadlineError } from '../../errors.ts'

/** What the scripts and commands in use came with. */
const oldest = '6.2'

/** Throws CONFIG_INVALID when this Redis is too old. One that does not tell its version is taken at its word. */
export async function checkRedisVersion(redis: Redis): Promise<void> {
  const info = await redis.info('server').catch(() => '')
  const [, version] = /^redis_version:(\S+)/m.exec(info) ?? []
  if (version === undefined || !isOlder(version, oldest)) return
  throw new LeadlineError(
    'CONFIG_INVALID',
    `Redis is ${version}, and ${oldest} or newer is needed; upgrade it, or name another in REDIS_URL`
  )
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0
}
