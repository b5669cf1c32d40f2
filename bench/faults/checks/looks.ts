import type { Breach, Look, WorkerLook } from '../record.ts'

/** Whoever lost a session may notice that a little later, and a look is not one instant. */
const looksTold = 8

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
  return workers.flatMap((worker) => {
    const own = sessions.filter(({ state, workerId }) => workerId === worker.id && state !== 'lost')
    const ofRows = own.reduce((sum, { bytes }) => sum + bytes, 0)
    const { engine, reservedBytes } = worker
    const breaches: Breach[] = []
    if (reservedBytes !== ofRows)
      breaches.push(breachOf(worker, `its row counts ${reservedBytes} bytes, its sessions' rows ${ofRows}`))
    if (engine === null) return breaches
    if (engine.reservedBytes !== ofRows)
      breaches.push(
        breachOf(worker, `its engine has reserved ${engine.reservedBytes} bytes, the rows say ${ofRows}`)
      )
    if (engine.sessions !== own.length)
      breaches.push(
        breachOf(worker, `its engine holds ${engine.sessions} sessions, there are rows of ${own.length}`)
      )
    return breaches
  })
}

function breachOf({ id }: WorkerLook, what: string): Breach {
  return { invariant: 'I6', session: id, seq: null, what }
}
