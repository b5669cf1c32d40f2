/**
 * What a deploy costs: `npm run bench rolling`. Fifty live sessions of the fake executor at 10 fps, two gateways and three workers
 * as processes of their own, each told to stop and started anew, one after the other. A frame without a depth map or a
 * session that ends is a loss, and there should be none.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { sessions, startLiveCell } from './moving/live-cell.ts'
import { roll } from './moving/roll.ts'
import { closeViewers, frameMs, gaps } from './moving/viewers.ts'
import { percentile, report } from './report.ts'

const calmMs = 10_000

const { cell, viewers } = await startLiveCell({ sessions, workers: 3 })
await delay(5000)
const fromMs = performance.now()
await delay(calmMs)
const calm = percentile(gaps(viewers, fromMs, performance.now()), 0.95)
const to = 'the same while nothing happens'
const name = (what: string): string => `${sessions} sessions at ${1000 / frameMs} fps: ${what}`
report({
  name: name('longest gap of a session while nothing happens, p95'),
  value: Math.round(calm),
  unit: 'ms'
})
for await (const replaced of roll(cell, viewers)) {
  const gap = percentile(replaced.gapsMs, 0.95)
  const what = name(`longest gap of a session as ${replaced.name} is replaced, p95`)
  report({ name: what, value: Math.round(gap), unit: 'ms', ratio: gap / calm, to })
}
process.stderr.write(`logs in ${cell.logsFolder}\n`)
const losses = await closeViewers(viewers)
const count = (what: string, value: number): void => report({ name: name(what), value, unit: '' })
count('sessions lost', losses.sessions)
count('frames without a depth map', losses.frames)
count('sessions with outcomes out of order', losses.disordered)
count('moves and losses that were not exact', losses.inexact)
await cell.close()
process.exit(0)
