import { randomBytes } from 'node:crypto'
import type { ContextOrigin } from '../../wire/context-bytes.ts'
import { LeadlineError } from '../../errors.ts'
import type { Account } from '../../metering/measures.ts'
import type { ModelOffer, SessionOptions } from '../../session.ts'
import type { Route } from '../link.ts'
import { place, sessionBytes } from '../placement.ts'
import type { Placed } from '../placement.ts'
import { hashResumeToken } from './resume-token.ts'
import type { Roster } from './roster.ts'
import type { SessionStore, WorkerRow } from '../session-store.ts'
import type { OpenWish } from '../sessions.ts'

export interface ReserveWish {
  options: SessionOptions
  owner: string | null
  resumeToken: string
  gatewayId: string
  /** How long it outlives its gateway; 0: not at all. */
  graceMs: number
  /** Workers that failed the session already; those that turn out to be full or gone are added. */
  except: Set<string>
  /** Of a checkpoint that it goes on from: the very network that it needs. */
  from: ContextOrigin | null
  /** How the last of them failed. */
  failure: LeadlineError | null
}

export interface Reservation {
  route: Route
  workerInstance: string
  offer: ModelOffer
  /** Device memory that is reserved there. */
  bytes: number
  graceMs: number
}

/** A session that has its place, and is yet to be opened there. */
export interface Reserved {
  reservation: Reservation
  resumeToken: string
  options: SessionOptions
  account: Account
  from: OpenWish['from']
  giveUpAtMs: number
}

interface Placing {
  store: SessionStore
  roster: Roster
  random: () => number
}

/**
 * Reserve bytes on some worker; one that fills up meanwhile is left out and the others are tried. What the roster knows
 * is enough to say yes; before a no it is read again.
 */
export async function reserve(wish: ReserveWish, placing: Placing): Promise<Reservation> {
  const { roster, store } = placing
  const { options, except } = wish
  const sessionId = `s_${randomBytes(12).toString('base64url')}`
  for (;;) {
    const { worker, parks } = await choose(wish, placing)
    const offer = worker.offer.models.find(({ name }) => name === options.model)
    if (!offer) throw noWorker([worker], options.model)
    const bytes = sessionBytes(worker, options) ?? 0
    const outcome = await store.openSession({
      ...{ id: sessionId, model: options.model, modelDigest: offer.digest, mode: options.mode },
      bytes: parks ? 0 : bytes,
      ...{ workerId: worker.id, workerInstance: worker.instance, gatewayId: wish.gatewayId },
      tokenHash: hashResumeToken(wish.resumeToken),
      ...{ owner: wish.owner, resumable: wish.graceMs > 0, graceMs: wish.graceMs },
      priority: options.priority
    })
    if (outcome.kind === 'opened') {
      roster.reserve(worker.id, bytes)
      const route = { sessionId, workerId: worker.id, token: outcome.token }
      return { route, offer, bytes, workerInstance: worker.instance, graceMs: wish.graceMs }
    }
    except.add(worker.id)
  }
}

async function choose(wish: ReserveWish, { roster, random }: Placing): Promise<Placed> {
  const { model, mode, cacheSize } = wish.options
  const modelDigest = wish.from?.modelDigest
  const sought = { model, mode, cacheSize, modelDigest, except: wish.except }
  const known = place(roster.rows, sought, random)
  if (known.kind === 'placed' && !known.parks) return known
  const workers = (await roster.read()).live
  const placement = place(workers, sought, random)
  if (placement.kind === 'placed') return placement
  if (wish.failure) throw wish.failure
  if (placement.kind === 'noWorker') {
    if (wish.from) refuseOtherNetwork(workers, wish.from)
    throw noWorker(workers, model)
  }
  const detail = `Every worker that serves "${model}" is full; try again later`
  throw new LeadlineError('NO_CAPACITY', detail)
}

/** Weights of the same name that are others say nothing with its latents. */
function refuseOtherNetwork(workers: readonly WorkerRow[], { model, modelDigest }: ContextOrigin): void {
  const offers = workers.flatMap((worker) => worker.offer.models.filter(({ name }) => name === model))
  if (offers.length === 0 || offers.some(({ digest }) => digest === modelDigest)) return
  const served = [...new Set(offers.map(({ digest }) => digest.slice(0, 12)))].join(', ')
  const detail = `The context is of "${model}" with digest ${modelDigest.slice(0, 12)}; served with ${served}. Begin without it`
  throw new LeadlineError('CONTEXT_INVALID', detail)
}

function noWorker(workers: readonly WorkerRow[], model: string): LeadlineError {
  const names = new Set(workers.flatMap((worker) => worker.offer.models.map((offer) => offer.name)))
  if (workers.length === 0) return new LeadlineError('NO_WORKER', 'No worker is alive; start one')
  if (!names.has(model)) {
    return new LeadlineError(
      'MODEL_UNKNOWN',
      `No worker serves "${model}"; they serve ${[...names].sort().join(', ')}`
    )
  }
  return new LeadlineError('NO_WORKER', `Every worker that serves "${model}" is draining`)
}
