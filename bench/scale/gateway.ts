/**
 * A gateway with many live sessions, in a process of its own: the URL of Redis, sessions that send one frame a second, and
 * sessions that send 30. Says "ready" when all are open; told "go", runs and sends what it measured.
 */
import { performance } from 'node:perf_hooks'
import { schedule, sendPaced } from '../link/load.ts'
import type { Due } from '../link/load.ts'
import { turnCarrier } from '../link/turn-carrier.ts'
import type { GatewayMeasure } from './measure.ts'

const [redisUrl = '', slow = '0', fast = '0', seconds = '10'] = process.argv.slice(2)
const groups = [
  { sessions: Number(slow), fps: 1 },
  { sessions: Number(fast), fps: 30 }
]
/** Until every session has had its first frames. */
const warmUpSeconds = 5
const sentAtMs = new Map<string, number>()
const latenciesMs: number[] = []
const carrier = await turnCarrier(redisUrl)
const openedFromMs = performance.now()
await carrier.open(Number(slow) + Number(fast), (session, seq) => {
  const key = `${session}/${seq}`
  latenciesMs.push(performance.now() - (sentAtMs.get(key) ?? NaN))
  sentAtMs.delete(key)
})
const openingMs = performance.now() - openedFromMs

function send({ seq, session }: Due): void {
  sentAtMs.set(`${session}/${seq}`, performance.now())
  carrier.send(session, seq)
}

async function run(): Promise<GatewayMeasure> {
  const all = schedule(groups, warmUpSeconds + Number(seconds))
  const frames = all.filter(({ atMs }) => atMs >= warmUpSeconds * 1000)
  await sendPaced(send, all.slice(0, all.length - frames.length))
  latenciesMs.length = 0
  process.send?.('warm')
  const before = process.cpuUsage()
  await sendPaced(send, frames)
  const { user, system } = process.cpuUsage(before)
  return {
    frames: frames.length,
    unanswered: sentAtMs.size,
    cpuMs: (user + system) / 1000,
    latenciesMs,
    openingMs
  }
}

process.on('message', () => void run().then((measured) => process.send?.(measured)))
process.on('disconnect', () => process.exit())
process.send?.('ready')
