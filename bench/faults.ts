/**
 * Whether sessions survive: `npm run bench faults -- --seed 1 --minutes 3`. Gateways, workers, executors and Redis as
 * processes of their own, the network between them a proxy, hundreds of clients that come, crash, hang and come back; the
 * seed draws what is killed, stopped, cut, delayed and emptied, and when. What each client saw is held to nine invariants
 * (bench/faults/checks). Figures on stdout, a line of them all and every breach on stderr; exit code 1 on any breach.
 */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { checkRun } from './faults/checks/index.ts'
import { healingMs } from './faults/checks/waiting.ts'
import { figuresOf, tallyOf } from './faults/figures.ts'
import { faultKinds } from './faults/plan.ts'
import type { FaultKind } from './faults/plan.ts'
import type { Breach } from './faults/record.ts'
import { playFaults } from './faults/run.ts'
import { report } from './report.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '1' },
    clients: { type: 'string', default: '200' },
    'cpu-clients': { type: 'string', default: '4' },
    gateways: { type: 'string', default: '2' },
    workers: { type: 'string', default: '3' },
    /** How long sessions are kept without a client; more on a machine that is slow to start a gateway. */
    'grace-s': { type: 'string', default: '45' },
    /** Only these faults, with commas between them. */
    kinds: { type: 'string' },
    /** Allow sessions to end with a listed code. */
    lenient: { type: 'boolean', default: false },
    /** All that every client saw goes there, a line for each session; the faults come first. */
    record: { type: 'string' },
    quiet: { type: 'boolean', default: false }
  }
})
// So that nothing which was started goes on.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
const kinds = values.kinds?.split(',').map(kindNamed)
const minutes = Number(values.minutes)
const say = (what: string): void => void (values.quiet || process.stderr.write(`${what}\n`))

const { canResume, logsFolder, record, refusals } = await playFaults({
  ...{ minutes, say, seed: Number(values.seed), clients: Number(values.clients) },
  ...{ gateways: Number(values.gateways), workers: Number(values.workers) },
  cpuClients: Number(values['cpu-clients']),
  graceMs: Number(values['grace-s']) * 1000,
  ...(kinds && { kinds })
})
const breaches = checkRun(record, { healWithinMs: healingMs, strict: canResume && !values.lenient })
const tally = tallyOf(record, breaches)
for (const figure of figuresOf(tally, minutes)) report(figure)
process.stderr.write(`${JSON.stringify({ ...tally, refusals: Object.fromEntries(refusals) })}\n`)
for (const breach of firstOfEach(breaches)) process.stderr.write(`${told(breach)}\n`)
const faultsLine = JSON.stringify({
  faults: record.faults,
  atRest: record.atRest,
  originMs: performance.timeOrigin
})
if (values.record !== undefined)
  await writeFile(
    values.record,
    `${[faultsLine, ...record.sessions.map((one) => JSON.stringify(one))].join('\n')}\n`
  )
if (breaches.length > 0) {
  const keys = new Set(breaches.map(({ session }) => session))
  const lines = record.sessions
    .filter(({ key }) => keys.has(key))
    .map((session) => `${JSON.stringify(session)}\n`)
  await writeFile(path.join(logsFolder, 'breached.jsonl'), [`${faultsLine}\n`, ...lines].join(''))
  process.stderr.write(`${breaches.length} breaches; logs and what these clients saw in ${logsFolder}\n`)
}
process.exit(breaches.length > 0 ? 1 : 0)

function kindNamed(name: string): FaultKind {
  if (Object.hasOwn(faultKinds, name)) return name as FaultKind
  throw new Error(`"${name}" is no kind of fault; there are ${Object.keys(faultKinds).join(', ')}`)
}

/** The first few of each invariant: those after them are mostly the same. */
function firstOfEach(all: readonly Breach[], most = 8): Breach[] {
  const counts = new Map<string, number>()
  return all.filter(({ invariant }) => {
    const count = (counts.get(invariant) ?? 0) + 1
    counts.set(invariant, count)
    return count <= most
  })
}

function told({ invariant, seq, session, what }: Breach): string {
  return `${invariant} ${session}${seq === null ? '' : ` frame ${seq}`}: ${what}`
}
