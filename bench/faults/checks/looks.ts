import type { Breach, Look, WorkerLook } from '../record.ts'

/** A session that is being moved, or was just closed, may be seen twice once, since a look is not one instant. */
const looksTold = 2

/** I1: a session has one owner. */
export function checkOwners(looks: readonly Look[]): Breach[] {
  const breaches: Breach[] = []
  const doubled = new Map<string, number>()
  for (const look of looks) {
    const owners = ownersOf(look)
    const moving = new Set(look.sessions.filter(({ state }) => state === 'moving').map(({ id }) => id))
    for (const [session, of] of owners) {
      if (of.length < 2 || moving.has(session)) {
        doubled.delete(session)
        continue
      }
      const count = (doubled.get(session) ?? 0) + 1
      doubled.set(session, count)
      const workers = of.join(' and ')
      if (count === looksTold)
        breaches.push({ invariant: 'I1', session, seq: null, what: `it is on ${workers} at once` })
    }
  }
  return breaches
}

/** The workers of each session. */
function ownersOf({ workers }: Look): Map<string, string[]> {
  const owners = new Map<string, string[]>()
  for (const { id, sessionIds } of workers)
    for (const session of sessionIds) owners.set(session, [...(owners.get(session) ?? []), id])
  return owners
}

/** I6: bytes never above the budget, and at rest the rows count what the engines have reserved. */
export function checkBytes(looks: readonly Look[], atRest: readonly Look[]): Breach[] {
  const over = looks.flatMap(({ workers }) =>
    workers.filter(({ reservedBytes, capacityBytes }) => reservedBytes > capacityBytes)
  )
  const breaches = over.map((worker) =>
    breachOf(worker, `${worker.reservedBytes} bytes are reserved of ${worker.capacityBytes}`)
  )
  return [...breaches, ...atRest.flatMap(disagreements)]
}

/** What a look shows of rows and engines that do not say the same. */
export function disagreements({ sessions, workers }: Look): Breach[] {
  const bytesOf = new Map(sessions.map(({ id, bytes }) => [id, bytes]))
  const breaches: Breach[] = []
  for (const worker of workers) {
    const ofRows = worker.sessionIds.reduce((sum, id) => sum + (bytesOf.get(id) ?? 0), 0)
    if (worker.reservedBytes !== ofRows)
      breaches.push(
        breachOf(worker, `its row counts ${worker.reservedBytes} bytes, its sessions' rows ${ofRows}`)
      )
    const { engine, sessionIds } = worker
    if (engine === null) continue
    if (engine.reservedBytes !== ofRows)
      breaches.push(
        breachOf(worker, `its engine has reserved ${engine.reservedBytes} bytes, the rows say ${ofRows}`)
      )
    if (engine.sessions !== sessionIds.length)
      breaches.push(
        breachOf(worker, `its engine holds ${engine.sessions} sessions, the rows say ${sessionIds.length}`)
      )
  }
  return breaches
}

function breachOf({ id }: WorkerLook, what: string): Breach {
  return { invariant: 'I6', session: id, seq: null, what }
}
