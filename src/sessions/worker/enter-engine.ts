import { asLeadlineError, LeadlineError } from '../../errors.ts'
import { offeredBytes } from '../../offered-bytes.ts'
import type { FrameEngine } from '../../frame-engine.ts'
import { serviceOf, tenantOf } from '../../metering/measures.ts'
import type { Account } from '../../metering/measures.ts'
import type { ModelOffer, SessionEvent, SessionOptions } from '../../session.ts'
import type { OpenPast } from '../link.ts'
import type { Log } from '../log.ts'
import type { ParkingLot } from './parking/parking-lot.ts'
import type { ReserveOutcome, Settlement } from '../session-store.ts'

/** Writes into a session's row what the engine settled on. */
export type Settle = (settled: Settlement) => Promise<ReserveOutcome>

interface EntryPlace {
  sessionId: string
  engine: FrameEngine
  lot: ParkingLot
  log: Log
}

interface EntryWish {
  options: SessionOptions
  account: Account
  past: OpenPast | undefined
  emit: (event: SessionEvent) => void
  settle: Settle
  /** Whether something has ended it meanwhile. */
  isOver: () => boolean
}

/**
 * Open a session in the engine, and write what that settled on, which it resolves with, into its row. Null: it was ended
 * meanwhile; a text: why its row is not to be had any more. Throws what `open` of the engine throws, and NO_CAPACITY where the
 * row has no room.
 */
export async function enterEngine(place: EntryPlace, wish: EntryWish): Promise<Settlement | string | null> {
  try {
    return await enter(place, wish)
  } catch (error) {
    const named = asLeadlineError(error)
    const { log, sessionId } = place
    if (named.code === 'INTERNAL') log.error({ err: error, sessionId }, 'the session could not be opened')
    throw named
  }
}

async function enter(
  { sessionId, engine, lot }: EntryPlace,
  { options, account, past, emit, settle, isOver }: EntryWish
): Promise<Settlement | string | null> {
  const offer = engine.offer.models.find(({ name }) => name === options.model)
  const opened = await lot.admit(offer ? offeredBytes(offer, options) : 0, () =>
    engine.open(sessionId, options, emit, {
      tenant: tenantOf(account),
      service: serviceOf(account),
      ...(past && { context: past.context })
    })
  )
  // Whatever wants to end the session waits for this, and then closes what was opened.
  if (isOver()) return null
  const { modelDigest, epoch, bytes, model } = opened
  const terms = { options, opened, offer: offer as ModelOffer }
  const settled = { modelDigest, epoch, bytes, terms }
  const outcome = await lot.admit(bytes, async () => {
    const written = await settle(settled)
    if (written !== 'full') return written
    throw new LeadlineError('NO_CAPACITY', `"${model}" needs ${bytes} bytes, more than its worker has left`)
  })
  return outcome === 'changed' ? settled : `its row is ${outcome}`
}
