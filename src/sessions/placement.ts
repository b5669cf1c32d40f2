import { offeredBytes } from '../offered-bytes.ts'
import type { SessionOptions } from '../session.ts'
import type { WorkerRow } from './session-store.ts'

export type Placement = Placed | { kind: 'noWorker' } | { kind: 'noCapacity' }

export interface Placed {
  kind: 'placed'
  worker: WorkerRow
  /** It is full, but could park others: then nothing is reserved at first, and the worker does so when there is room. */
  parks: boolean
}

/** What a session wants, as far as its place depends on it. */
export interface SessionWish extends Pick<SessionOptions, 'model' | 'mode' | 'cacheSize'> {
  /** Of a session that was open before: it goes on with the very same network. */
  modelDigest?: string | undefined
}

export interface PlacementWish extends SessionWish {
  /** Workers that turned out to be full or gone since `workers` was read. */
  except: ReadonlySet<string>
}

/**
 * Choose a worker for a new session: those that offer the model and have room for it, or else those that could make room;
 * then the better of two drawn at random. Two choices keep the load nearly as even as always taking the emptiest, without
 * sending everybody who reads the same rows to the same worker. `random` gives numbers in [0, 1).
 */
export function place(workers: readonly WorkerRow[], wish: PlacementWish, random: () => number): Placement {
  const offering = workers.filter((worker) => !worker.draining && sessionBytes(worker, wish) !== null)
  if (offering.length === 0) return { kind: 'noWorker' }
  const able = offering.filter(({ id }) => !wish.except.has(id))
  const withRoom = (room: (worker: WorkerRow) => number) =>
    able.filter((worker) => room(worker) >= (sessionBytes(worker, wish) ?? 0))
  const roomy = withRoom(headroom)
  if (roomy.length > 0) return { kind: 'placed', worker: better(roomy, headroom, random), parks: false }
  const willing = withRoom(roomWithParking)
  if (willing.length === 0) return { kind: 'noCapacity' }
  return { kind: 'placed', worker: better(willing, roomWithParking, random), parks: true }
}

/**
 * Bytes that a session reserves on the worker; null if the worker does not offer the model. A mode that the model does
 * not have takes none: the worker refuses it with the reason, however full it is.
 */
export function sessionBytes(worker: WorkerRow, wish: SessionWish): number | null {
  const offer = worker.offer.models.find(
    ({ name, digest }) => name === wish.model && digest === (wish.modelDigest ?? digest)
  )
  return offer ? offeredBytes(offer, wish) : null
}

function headroom(worker: WorkerRow): number {
  return worker.offer.capacityBytes - worker.reservedBytes
}

function roomWithParking(worker: WorkerRow): number {
  return headroom(worker) + worker.parkableBytes
}

/** The better of two drawn from these, of which there is one at least. */
function better(
  workers: readonly WorkerRow[],
  room: (worker: WorkerRow) => number,
  random: () => number
): WorkerRow {
  const first = draw(workers, random) as WorkerRow
  const others = workers.filter((worker) => worker !== first)
  const second = draw(others, random) ?? first
  return room(second) > room(first) ? second : first
}

function draw(workers: readonly WorkerRow[], random: () => number): WorkerRow | undefined {
  return workers[Math.floor(random() * workers.length)]
}
