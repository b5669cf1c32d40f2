import { textTable } from '../text-table.ts'
import type { RemoteWorker } from '../remote-workers.ts'
import type { Overview } from './overview.ts'

const head = ['worker', 'device', 'sessions', 'parked', 'memory', 'fps', 'p50 ms', 'p99 ms', 'moved', '']

/** For people, line by line. */
export function screenOf({ at, missing, total, gateway, workers }: Overview, url: string): string[] {
  const { p50, p99 } = gateway.latencyMs
  const left = Object.entries(gateway.continuity).map(([kind, count]) => `${kind} ${count}`)
  return [
    `${url} · ${at.slice(11, 19)} UTC · ${missing.length === 0 ? 'ready' : `not ready: ${missing.join(', ')} missing`}`,
    `${total.workers} workers · ${total.sessions} sessions, ${total.parked} parked · ${memory(total)} · ${total.framesPerSecond} fps`,
    `this gateway: ${gateway.streams} streams · ${shown(gateway.framesPerSecond)} fps · p50 ${shown(p50)} ms, p99 ${shown(p99)} ms · ` +
      `${gateway.drops} drops, ${gateway.errors} errors · continuity: ${left.join(', ') || 'none asked for'}`,
    '',
    ...textTable(head, workers.map(row))
  ]
}

function row(worker: RemoteWorker): string[] {
  const { id, device, draining, moved, pace, sessions } = worker
  const { p50, p99 } = pace.latencyMs
  return [
    ...[id, device, String(sessions), String(pace.parkedSessions), memory(worker)],
    ...[String(pace.framesPerSecond), String(p50), String(p99), String(moved.sessions)],
    draining ? 'draining' : ''
  ]
}

function memory({ reservedBytes, capacityBytes }: { reservedBytes: number; capacityBytes: number }): string {
  const share = capacityBytes > 0 ? Math.round((100 * reservedBytes) / capacityBytes) : 0
  return `${mebibytes(reservedBytes)} of ${mebibytes(capacityBytes)} MiB (${share} %)`
}

function mebibytes(bytes: number): string {
  return String(Math.round(bytes / 2 ** 20))
}

function shown(value: number | null): string {
  return value === null ? '–' : String(value)
}
