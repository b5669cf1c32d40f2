import type { FaultKind } from '../plan.ts'
import type { Breach, RunRecord, SessionRecord } from '../record.ts'

/** By which Redis loses what was counted, be it the last moment alone. */
const forgetful: ReadonlySet<FaultKind> = new Set(['redisEmpty', 'redisSaved', 'redisStale', 'redisFlush'])

export interface Given {
  /** Frames that clients have a depth map of. */
  depths: number
  /** Of which nobody can know whether there was one: it was made and did not arrive, or never was. */
  unsure: number
}

/** What clients of all sessions were given. */
export function given(sessions: readonly SessionRecord[]): Given {
  const sum: Given = { depths: 0, unsure: 0 }
  for (const { entries } of sessions) {
    const sent = new Set(entries.flatMap((entry) => (entry.type === 'sent' ? [entry.seq] : [])))
    const depths = new Set(entries.flatMap((entry) => (entry.type === 'result' ? [entry.seq] : [])))
    sum.depths += depths.size
    sum.unsure += sent.size - depths.size
  }
  return sum
}

/** What the servers count as used is what clients were given, to the frame but for those of which nobody can know. */
export function checkUsage({ faults, sessions, usedFrames }: RunRecord): Breach[] {
  if (usedFrames === null || faults.some(({ kind }) => forgetful.has(kind))) return []
  const { depths, unsure } = given(sessions)
  if (usedFrames >= depths && usedFrames <= depths + unsure) return []
  const what = `${usedFrames} frames are counted; clients have depth of ${depths}, and of ${unsure} more nobody can know`
  return [{ invariant: 'usage', session: 'all', seq: null, what }]
}
