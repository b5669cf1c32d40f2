import { setTimeout as delay } from 'node:timers/promises'
import { randomNumbers } from '../random.ts'
import { startCell } from './cell.ts'
import type { Cell } from './cell.ts'
import { goesOn, healingMs } from './checks/waiting.ts'
import { inflict } from './inflict.ts'
import { keepLooking, lookAtRest, readLeftovers, readUsedFrames } from './look.ts'
import { planFaults } from './plan.ts'
import type { Fault, FaultKind } from './plan.ts'
import { RawClient } from './raw-client.ts'
import type { FaultRecord, Look, RunRecord } from './record.ts'
import { SdkClient } from './sdk-client.ts'
import { knowsResumable, newCrowd } from './crowd.ts'
import type { Crowd } from './session-log.ts'

export interface RunOptions {
  seed: number
  minutes: number
  clients: number
  /** Clients of the worker with a network. */
  cpuClients: number
  gateways: number
  workers: number
  /** How long sessions are kept without a client: for longer than it takes to start a gateway anew. @default 45 s */
  graceMs?: number
  kinds?: readonly FaultKind[]
  /** Told what goes on. */
  say: (what: string) => void
}

/** Of the clients, the first so many mostly do not read. */
const hanging = 3
/** Long enough to see whether one that hangs keeps others waiting. */
const calmMs = 15_000
const rampMs = 3000
/** After that a session that does not go on never will: longer than any wait of a server or client. */
const longestHealingMs = 120_000
/** For clients to end their sessions in order, one that did not read among them. */
const endingMs = 60_000

export interface Run {
  record: RunRecord
  canResume: boolean
  refusals: ReadonlyMap<string, number>
  logsFolder: string
}

/** One run: calm, faults, calm, the end of all sessions, and what is left. */
export async function playFaults(options: RunOptions): Promise<Run> {
  const exits: string[] = []
  const { cpuClients, gateways, graceMs = 45_000, say, seed, workers } = options
  const onExit = (what: string): void => void exits.push(what)
  const cell = await startCell({ gateways, workers, graceMs, withCpu: cpuClients > 0, onExit })
  try {
    say(`seed ${seed}; logs in ${cell.logsFolder}`)
    const crowd = newCrowd(cell)
    crowd.canResume = await knowsResumable(crowd)
    const looks: Look[] = []
    const looking = keepLooking(cell, looks, () => crowd.phase === 'ending')
    const clients = startClients(crowd, options)
    await delay(rampMs + calmMs)
    const faults = await afflict(cell, options)
    crowd.phase = 'steady'
    const healedAtMs = performance.now()
    say('the last fault is over')
    const restedAtMs = await rested(crowd, healedAtMs)
    const atRest = [await lookAtRest(cell)]
    const endedAtMs = performance.now()
    crowd.phase = 'ending'
    crowd.end()
    await Promise.race([Promise.all([looking, ...clients]), delay(endingMs)])
    say(
      `${crowd.sessions.filter(({ entries }) => entries.at(-1)?.type !== 'ended').length} sessions did not end`
    )
    const lapseMs = crowd.canResume ? graceMs : 0
    const leftovers = await readLeftovers(cell.admin, lapseMs)
    atRest.push(await lookAtRest(cell))
    const usedFrames = await readUsedFrames(crowd.doors)
    const { refusals, sessions, stuck } = crowd
    const times = { healedAtMs, restedAtMs, endedAtMs }
    const looked = { looks, atRest, leftovers, usedFrames }
    const record = { seed, sessions, stuck, faults, ...looked, ...times, exits }
    return { record, canResume: crowd.canResume, refusals, logsFolder: cell.logsFolder }
  } finally {
    await cell.close()
  }
}

/** When every session was found to go on, and those that had to heal had the time for it; or when it takes too long. */
async function rested({ sessions, stuck }: Crowd, healedAtMs: number): Promise<number> {
  await delay(healingMs)
  for (;;) {
    const time = { fromMs: healedAtMs, toMs: performance.now() }
    const isOver = time.toMs - healedAtMs > longestHealingMs
    if (isOver || sessions.every((session) => goesOn(session, stuck, time))) return time.toMs
    await delay(500)
  }
}

function startClients(crowd: Crowd, { clients, cpuClients, seed }: RunOptions): Promise<void>[] {
  return Array.from({ length: clients + cpuClients }, async (_, i) => {
    const random = randomNumbers(seed * 100_003 + i)
    const fps = 0.5 + random() * 2.5
    const shared = { crowd, name: `c${i}`, random }
    const delivery = random() < 0.2 ? ('latest' as const) : ('lossless' as const)
    const wish = { model: 'fake', delivery, large: false }
    await delay((i / clients) * rampMs)
    if (i < hanging)
      return new RawClient({
        ...shared,
        fps: 8,
        wish: { ...wish, delivery: 'lossless', large: true },
        hangs: true
      }).run()
    if (i >= clients)
      return new RawClient({ ...shared, fps: 1, wish: { ...wish, model: 'leadline-nano' } }).run()
    if (i % 4 === 0) return new SdkClient({ ...shared, fps }).run()
    return new RawClient({ ...shared, fps, wish }).run()
  })
}

/** Every fault of the plan at its time; resolves when all that they hit is whole again. */
async function afflict(cell: Cell, { kinds, minutes, say, seed }: RunOptions): Promise<FaultRecord[]> {
  const counts = {
    ...{ worker: cell.workers.length, gateway: cell.gateways.length, redis: 1 },
    link: cell.workers.length + cell.gateways.length
  }
  const plan = planFaults({ seed, minutes, counts, ...(kinds && { kinds }) })
  const startedMs = performance.now()
  const under: Promise<FaultRecord>[] = []
  let redis: Promise<unknown> = Promise.resolve()
  for (const fault of plan) {
    await delay(startedMs + fault.atMs - performance.now())
    // Redis can be restarted only by one at a time.
    const done = fault.kind.startsWith('redis')
      ? redis.then(() => inflict(cell, fault))
      : inflict(cell, fault)
    if (fault.kind.startsWith('redis')) redis = done
    under.push(done)
    say(told(fault))
  }
  await delay(startedMs + minutes * 60_000 - performance.now())
  return Promise.all(under)
}

function told({ atMs, index, kind, ms }: Fault): string {
  return `${(atMs / 1000).toFixed(1)} s: ${kind} ${index}${ms > 0 ? ` for ${ms} ms` : ''}`
}
