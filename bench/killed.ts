/**
 * What a worker that dies costs: `npm run bench killed -- --rounds 9`. Fifty live sessions of the fake executor at 10 fps,
 * gateways and workers as processes of their own; one worker after the other gets SIGKILL, and the next one takes its place.
 * A session's time is from SIGKILL to its first depth map from another worker; detection is the part of it until a gateway has
 * noted that the lease ran out, the rest is placement and replay.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readLosses } from './moving/losses.ts'
import { sessions, startLiveCell } from './moving/live-cell.ts'
import { closeViewers, frameMs } from './moving/viewers.ts'
import { median, percentile, report } from './report.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } })
/** Until sessions have a past worth a replay, and are calm again. */
const calmMs = 5000

const { cell, viewers } = await startLiveCell({ sessions, workers: 3 })
const kills: { killedMs: number; backMs: number[] }[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  await delay(calmMs)
  const killedMs = performance.now()
  await cell.workers[round % cell.workers.length]!.replace('SIGKILL')
  while (!viewers.every(({ cameAtMs }) => performance.now() - (cameAtMs.at(-1) ?? 0) < 5 * frameMs))
    await delay(50)
  const backMs = viewers.flatMap(({ cameAtMs, toldAtMs }) => {
    const toldMs = toldAtMs.find((atMs) => atMs > killedMs)
    const cameMs = toldMs === undefined ? undefined : cameAtMs.find((atMs) => atMs >= toldMs)
    return cameMs === undefined ? [] : [cameMs - killedMs]
  })
  kills.push({ killedMs, backMs })
  process.stderr.write(
    `kill ${round}: ${backMs.length} sessions, back after at most ${Math.max(...backMs).toFixed()} ms\n`
  )
}
const losses = await readLosses(cell.logsFolder)
const rounds = kills.map(({ killedMs, backMs }, index) => {
  const notedMs = losses.notedMs.find((atMs) => atMs > killedMs) ?? NaN
  const detection = notedMs - killedMs
  const nextMs = kills[index + 1]?.killedMs ?? Infinity
  const placed = losses.placements
    .filter(({ atMs }) => atMs > notedMs && atMs < nextMs)
    .map(({ placedMs }) => detection + placedMs)
  return { detection, placed, all: backMs, rest: backMs.map((ms) => ms - detection) }
})
const name = (what: string): string =>
  `${sessions} sessions at ${1000 / frameMs} fps, ${rounds.length} kills: ${what}`
const ms = (what: string, value: number): void =>
  report({ name: name(what), value: Math.round(value), unit: 'ms' })
const each = (share: number, of: (round: (typeof rounds)[number]) => readonly number[]): number =>
  median(rounds.map((round) => percentile(of(round), share)))
ms(
  'from SIGKILL of a worker to the first depth map from the next, median of the p50 of each kill',
  each(0.5, ({ all }) => all)
)
ms(
  'the same, median of the p95',
  each(0.95, ({ all }) => all)
)
ms(
  'the same, p95 of all sessions of all kills',
  percentile(
    rounds.flatMap(({ all }) => all),
    0.95
  )
)
ms('of that, until a gateway has noted the loss, median', median(rounds.map(({ detection }) => detection)))
ms('the same, longest', Math.max(...rounds.map(({ detection }) => detection)))
ms(
  'until a session has a place on another worker: detection and placement, p50 of all',
  percentile(
    rounds.flatMap(({ placed }) => placed),
    0.5
  )
)
ms(
  'the same, p95 of all',
  percentile(
    rounds.flatMap(({ placed }) => placed),
    0.95
  )
)
ms(
  'placement and replay, median of the p50',
  each(0.5, ({ rest }) => rest)
)
ms(
  'the same, median of the p95',
  each(0.95, ({ rest }) => rest)
)
report({
  name: name('share of detection'),
  value: median(rounds.map(({ all, detection }) => detection / percentile(all, 0.5))),
  unit: ''
})
const lost = await closeViewers(viewers)
const count = (what: string, value: number): void => report({ name: name(what), value, unit: '' })
count('sessions that went on elsewhere', kills.flatMap(({ backMs }) => backMs).length)
count('sessions lost', lost.sessions)
count('frames without a depth map', lost.frames)
count('sessions with outcomes out of order', lost.disordered)
count('losses that were not exact', lost.inexact)
await cell.close()
process.exit(0)
