/**
 * What a planned departure costs: `npm run bench drain`. Fifty live sessions of the fake executor at 10 fps, gateways and
 * workers as processes of their own. The worker that has all of them is told to stop. The gap between two depth maps is
 * 100 ms where nothing happens: what is more is the stall. Calm gaps are those of as long a stretch of the same run.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { sessions, startLiveCell } from './moving/live-cell.ts'
import { readPhases } from './moving/phases.ts'
import type { Phases } from './moving/phases.ts'
import { closeViewers, frameMs, gaps } from './moving/viewers.ts'
import { percentile, report } from './report.ts'

const calmMs = 10_000

const { cell, viewers } = await startLiveCell({ sessions, workers: 3 })
await gather()
await delay(5000)
const fromMs = performance.now()
await delay(calmMs)
const numMoved = (await readPhases(cell.logsFolder)).length
const drainMs = performance.now()
await cell.workers[0]!.close('SIGTERM')
const goneMs = performance.now()
await delay(2000)
const tookMs = goneMs - drainMs
/** As long as the drain, where it took no longer than the calm did. */
const stretchMs = Math.min(tookMs, calmMs)
const calm: number[] = []
for (let atMs = fromMs; atMs + stretchMs <= drainMs; atMs += stretchMs)
  calm.push(...gaps(viewers, atMs, atMs + stretchMs))
const drained = gaps(viewers, drainMs, goneMs)
const phases = (await readPhases(cell.logsFolder)).slice(numMoved)
process.stderr.write(`logs in ${cell.logsFolder}\n`)

const name = (what: string): string => `${sessions} sessions at ${1000 / frameMs} fps: ${what}`
const to = 'the same while nothing happens'
for (const [share, said] of [[0.5, 'p50'] as const, [0.95, 'p95'] as const, [1, 'most'] as const]) {
  const [stall, usual] = [drained, calm].map((all) => percentile(all, share))
  const gap = { name: name(`longest gap of a session, ${said}`), unit: 'ms' }
  report({ ...gap, name: `${gap.name}, while nothing happens`, value: Math.round(usual!) })
  report({
    ...gap,
    name: `${gap.name}, when its worker is drained`,
    value: Math.round(stall!),
    ratio: stall! / usual!,
    to
  })
}
for (const phase of ['reserved', 'halted', 'travelling', 'opened', 'committed'] satisfies (keyof Phases)[])
  for (const [share, said] of [[0.5, 'p50'] as const, [0.95, 'p95'] as const]) {
    const value = Math.round(
      percentile(
        phases.map((one) => one[phase]),
        share
      )
    )
    report({ name: name(`a move is ${phase}, ${said}`), value, unit: 'ms' })
  }
report({ name: name('from SIGTERM of the worker to its end'), value: Math.round(tookMs), unit: 'ms' })
const losses = await closeViewers(viewers)
const count = (what: string, value: number): void => report({ name: name(what), value, unit: '' })
count('moves', phases.length)
count('sessions lost', losses.sessions)
count('frames without a depth map', losses.frames)
count('sessions with outcomes out of order', losses.disordered)
count('moves and losses that were not exact', losses.inexact)
await cell.close()
process.exit(0)

/** All sessions on the first worker, and two more that are empty. */
async function gather(): Promise<void> {
  const base = cell.gateways[0]!.said[0]!
  const others = cell.workers.slice(1)
  for (const worker of others) {
    const id = worker.said[0]!
    await fetch(`${base}/v1/workers/${id}/drain`, { method: 'POST' })
    while ((await sessionsOn(base, id)) > 0) await delay(200)
  }
  await Promise.all(others.map((worker) => worker.replace('SIGTERM')))
}

async function sessionsOn(base: string, id: string): Promise<number> {
  const response = await fetch(`${base}/v1/workers`)
  const { workers } = (await response.json()) as { workers: { id: string; sessions: number }[] }
  return workers.find((worker) => worker.id === id)?.sessions ?? 0
}
