import { requestServer } from '../../client/clips/index.ts'
import { workersOf } from '../remote-workers.ts'
import type { Shown } from '../server-address.ts'
import type { GatewayLook } from './gateway-figures.ts'
import type { Look } from './overview.ts'
import { Scrape } from './scrape.ts'

/**
 * All gateways that are named, at one moment. Of the workers any of them knows all. Throws what the first says where none answers:
 * that it is not there, or does not know the key.
 */
export async function lookAt(bases: readonly URL[], shown: Shown): Promise<Look> {
  const looked = await Promise.allSettled(bases.map((base) => lookAtOne(base, shown)))
  shown.signal.throwIfAborted()
  const first = looked.find((one) => one.status === 'fulfilled')
  if (!first) throw (looked[0] as PromiseRejectedResult).reason
  return {
    atMs: Date.now(),
    workers: first.value.workers,
    gateways: looked.map((one, i): GatewayLook => {
      if (one.status === 'fulfilled') return one.value.gateway
      return { url: bases[i]!.origin, scrape: null, missing: ['gateway'] }
    })
  }
}

async function lookAtOne(base: URL, shown: Shown) {
  // They name the server that is not there.
  const [workers, metrics] = await Promise.all([
    workersOf(base, shown),
    requestServer(new URL('metrics', base), shown).then((response) => response.text())
  ])
  const missing = await missingOf(base, shown.signal)
  return { workers, gateway: { url: base.origin, scrape: new Scrape(metrics), missing } }
}

/** That it is not ready is an answer, too. */
async function missingOf(base: URL, signal: AbortSignal): Promise<string[]> {
  const response = await fetch(new URL('readyz', base), { signal })
  const { missing = [] } = (await response.json()) as { missing?: string[] }
  return missing
}
