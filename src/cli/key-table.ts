import { keyState } from '../access/index.ts'
import type { AccessKey, KeyLimits } from '../access/index.ts'
import { textTable } from './text-table.ts'

/** A key as it is listed. */
interface ToldKey {
  id: string
  name: string
  state: ReturnType<typeof keyState>
  scopes: readonly string[]
  limits: KeyLimits
  webhook?: string
  createdAt: string
  expiresAt: string | null
  revokedAt: string | null
}

/** All of a key but its hash. */
export function toldOfKey(key: AccessKey, nowMs: number): ToldKey {
  const { id, name, scopes, limits, webhook, createdAtMs, expiresAtMs, revokedAtMs } = key
  return {
    ...{ id, name, state: keyState(key, nowMs), scopes, limits, createdAt: timeOf(createdAtMs) },
    ...(webhook === undefined ? {} : { webhook }),
    expiresAt: expiresAtMs === null ? null : timeOf(expiresAtMs),
    revokedAt: revokedAtMs === null ? null : timeOf(revokedAtMs)
  }
}

const head = ['name', 'id', 'state', 'scopes', 'limits', 'made', 'runs out']

/** For people. */
export function keyTable(keys: readonly ToldKey[]): string[] {
  return textTable(
    head,
    keys.map(({ name, id, state, scopes, limits, createdAt, expiresAt }) => [
      ...[name, id, state, scopes.join(','), limitsOf(limits)],
      ...[minuteOf(createdAt), expiresAt === null ? 'never' : minuteOf(expiresAt)]
    ])
  )
}

function limitsOf(limits: KeyLimits): string {
  const each = Object.entries(limits).map(([name, value]) => `${name}=${value}`)
  return each.join(' ') || 'none'
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}

function minuteOf(time: string): string {
  return time.slice(0, 16).replace('T', ' ')
}
