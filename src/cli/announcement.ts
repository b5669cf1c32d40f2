import type { Logger } from 'pino'
import { offeredBytes } from '../offered-bytes.ts'
import type { EngineOffer } from '../session.ts'
import { ownName } from './own-name.ts'

export interface Announcement {
  /** Where it listens, for what listens. */
  url?: string
  worker?: string
  model: string
  device?: string
  /** How many sessions of the model fit into the device at once. */
  sessions?: number
  /** Where a worker's figures are. */
  metrics?: string
}

const bundledModel = 'leadline-nano'
/** How to get a stronger model than the bundled one, with `own` for the name of the program. */
export function strongerModel(own: string): string {
  return `a stronger model, 116 MB: ${own} models add vda-small, then ${own} serve --model vda-small`
}

/** One line for people on stdout, the same for machines in the log. */
export function announce(log: Logger, what: 'listening' | 'serving', facts: Announcement): void {
  const { url, worker, model, device, sessions, metrics } = facts
  const parts = [
    url ?? worker,
    `model ${model}`,
    device,
    sessions === undefined ? null : `room for ${sessions} sessions`,
    metrics,
    `after ${process.uptime().toFixed(1)} s`
  ]
  console.log(`leadline ${what}: ${parts.filter(Boolean).join(' · ')}`)
  if (process.stdout.isTTY) for (const hint of hintsFor(facts, ownName(process.env))) console.log(hint)
  log.info({ ...facts, seconds: process.uptime() }, what)
}

/** What to try now, one thing a line. */
export function hintsFor({ url, metrics, model }: Announcement, own: string): string[] {
  if (url !== undefined)
    return [
      `open it in a browser, or: curl ${url}/v1/models`,
      `look at it: ${own} top --url ${url}`,
      ...(model === bundledModel ? [strongerModel(own)] : [])
    ]
  return metrics === undefined ? [] : [`its figures: curl ${metrics}`]
}

/**
 * Sessions of a model that fit at once, in the default mode or, without that, in any; of the first one offered when this
 * one is not.
 */
export function roomFor({ models, capacityBytes }: EngineOffer, model: string): number {
  const offered = models.find(({ name }) => name === model) ?? models[0]
  if (!offered) return 0
  const { ovda, ...others } = offered.sessionBytes
  const bytes =
    ovda === undefined
      ? Math.max(...Object.values(others))
      : offeredBytes(offered, { mode: 'ovda', cacheSize: null })
  return bytes > 0 ? Math.floor(capacityBytes / bytes) : 0
}
