import { requestServer } from '../client/clips/index.ts'
import type { EnginePace } from '../metering/engine-pace.ts'
import type { Shown } from './server-address.ts'

/** What the server says of a worker; openapi.yaml describes it. */
export interface RemoteWorker {
  id: string
  draining: boolean
  sessions: number
  device: string
  reservedBytes: number
  capacityBytes: number
  moved: { sessions: number; longestStallMs: number }
  pace: EnginePace
}

export async function workersOf(base: URL, shown: Shown): Promise<RemoteWorker[]> {
  const response = await requestServer(new URL('v1/workers', base), shown)
  return ((await response.json()) as { workers: RemoteWorker[] }).workers
}

export function counted(sessions: number): string {
  return sessions === 1 ? '1 session' : `${sessions} sessions`
}
