import type { RemoteWorker } from '../remote-workers.ts'
import { figuresOf, tenths } from './gateway-figures.ts'
import type { GatewayFigures, GatewayLook, Pair } from './gateway-figures.ts'

/** What was seen of a cell at one moment. */
export interface Look {
  atMs: number
  workers: readonly RemoteWorker[]
  /** Those that were named. */
  gateways: readonly GatewayLook[]
}

/** One refresh of `leadline top`. */
export interface Overview {
  at: string
  /** What any of the gateways is not ready for. */
  missing: readonly string[]
  total: {
    workers: number
    sessions: number
    parked: number
    reservedBytes: number
    capacityBytes: number
    framesPerSecond: number
  }
  /** Of all that answered together, since the refresh before; without one, since their start. */
  gateway: GatewayFigures
  /** Each by itself; figures null: it did not answer. */
  gateways: { url: string; missing: readonly string[]; figures: GatewayFigures | null }[]
  workers: readonly RemoteWorker[]
}

export function overviewOf(look: Look, before: Look | null): Overview {
  const { atMs, gateways, workers } = look
  const sum = (read: (worker: RemoteWorker) => number) =>
    workers.reduce((all, worker) => all + read(worker), 0)
  const elapsedMs = before && atMs - before.atMs
  const pairOf = ({ scrape, url }: GatewayLook): Pair[] =>
    scrape === null
      ? []
      : [{ now: scrape, before: before?.gateways.find((one) => one.url === url)?.scrape ?? null }]
  return {
    at: new Date(atMs).toISOString(),
    missing: [...new Set(gateways.flatMap(({ missing }) => missing))],
    total: {
      workers: workers.length,
      sessions: sum(({ sessions }) => sessions),
      parked: sum(({ pace }) => pace.parkedSessions),
      reservedBytes: sum(({ reservedBytes }) => reservedBytes),
      capacityBytes: sum(({ capacityBytes }) => capacityBytes),
      framesPerSecond: tenths(sum(({ pace }) => pace.framesPerSecond))
    },
    gateway: figuresOf(gateways.flatMap(pairOf), elapsedMs),
    gateways: gateways.map((one) => ({
      ...{ url: one.url, missing: one.missing },
      figures: one.scrape === null ? null : figuresOf(pairOf(one), elapsedMs)
    })),
    workers
  }
}
