import { serverAt } from '../own-server.ts'
import type { ServerOptions } from '../own-server.ts'
import { difference } from './outcome.ts'
import { readRecording } from './read-recording.ts'
import { sessionsOf } from './recorded-session.ts'
import type { RecordedSession } from './recorded-session.ts'
import type { Heard } from './heard.ts'
import type { ReplayOptions } from './replay-session.ts'
import { replaySession } from './replay-session.ts'

export interface ReplayReport {
  sessions: number
  /** Outcomes that were the same again. */
  equal: number
  different: number
  /** Frames that were dropped when it was recorded, and not sent again. */
  skipped: number
  /** The first that was another, and in what; null: none was. */
  first: { session: string; seq: number; difference: string } | null
  /** The recording was cut off; it counts up to there. */
  isCut: boolean
  /** Of the sessions that run other weights than were recorded. */
  otherWeights: string[]
}

/** Replay a recording and compare what comes with what came. `url`: a running server; undefined: one of our own. */
export async function replayRecording(
  path: string,
  { url, keyFile, ...options }: Omit<ReplayOptions, 'url' | 'key'> & Pick<ServerOptions, 'url' | 'keyFile'>
): Promise<ReplayReport> {
  const { entries, isCut } = await readRecording(path)
  const sessions = sessionsOf(entries)
  const server = await serverAt({ url, keyFile, model: sessions[0]?.ready.model })
  const report: ReplayReport = {
    ...{ sessions: sessions.length, equal: 0, different: 0, skipped: 0, first: null, isCut, otherWeights: [] }
  }
  try {
    for (const session of sessions)
      compare(session, await replaySession(session, { ...options, ...server }), { report, ...options })
    return report
  } finally {
    await server.close()
  }
}

function compare(
  { id, outcomes, ready }: RecordedSession,
  heard: Heard,
  { report, isRealTime }: { report: ReplayReport; isRealTime: boolean }
): void {
  if (heard.ready && heard.ready.modelDigest !== ready.modelDigest) report.otherWeights.push(id)
  for (const [seq, recorded] of outcomes) {
    if (recorded.type === 'drop' && !isRealTime) {
      report.skipped += 1
      continue
    }
    const replayed = heard.outcomes.get(seq)
    const found = replayed
      ? difference(recorded, replayed)
      : `nothing came: ${heard.endedBy ?? 'the session ended'}`
    if (found === null) report.equal += 1
    else {
      report.different += 1
      report.first ??= { session: id, seq, difference: found }
    }
  }
}
