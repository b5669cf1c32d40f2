import { textTable } from '../text-table.ts'
import type { RemoteWorker } from '../remote-workers.ts'
import type { Overview } from './overview.ts'

const head = ['worker', 'device', 'sessions', 'parked', 'memory', 'fps', 'p50 ms', 'p99 ms', 'moved', '']

const gatewayHead = ['gateway', 'streams', 'fps', 'p50 ms', 'p99 ms', 'drops', 'errors', '']

/** For people, line by line. Of one gateway all is said in the line above the workers. */
export function screenOf({ at, missing, total, gateway, gateways, workers }: Overview): string[] {
  const { p50, p99 } = gateway.latencyMs
  const left = Object.entries(gateway.continuity).map(([kind, count]) => `${kind} ${count}`)
  const [first] = gateways
  const whose = gateways.length === 1 ? 'this gateway' : `${gateways.length} gateways`
  return [
    `${first?.url ?? ''} · ${at.slice(11, 19)} UTC · ${missing.length === 0 ? 'ready' : `not ready: ${missing.join(', ')} missing`}`,
    `${total.workers} workers · ${total.sessions} sessions, ${total.parked} parked · ${memory(total)} · ${total.framesPerSecond} fps`,
    `${whose}: ${gateway.streams} streams · ${shown(gateway.framesPerSecond)} fps · p50 ${shown(p50)} ms, p99 ${shown(p99)} ms · ` +
      `${gateway.drops} drops, ${gateway.errors} errors · continuity: ${left.join(', ') || 'none asked for'}`,
    ...(gateways.length === 1 ? [] : ['', ...textTable(gatewayHead, gateways.map(gatewayRow))]),
    '',
    ...textTable(head, workers.map(row))
  ]
}

function gatewayRow({ url, missing, figures }: Overview['gateways'][number]): string[] {
  if (figures === null) return [url, '', '', '', '', '', '', 'does not answer']
  const { streams, framesPerSecond, latencyMs, drops, errors } = figures
  return [
    ...[url, String(streams), shown(framesPerSecond), shown(latencyMs.p50), shown(latencyMs.p99)],
    ...[String(drops), String(errors), missing.length === 0 ? '' : `lacks ${missing.join(', ')}`]
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
