import { duration } from './duration.ts'
import { textTable } from './text-table.ts'

/** What the server says of a session; openapi.yaml describes it. */
export interface RemoteSession {
  id: string
  state: string
  model: string
  mode: string
  worker: string
  deviceBytes: number
  epoch: number
  lastSeq: number
  createdAt: string
  touchedAt: string
}

const head = ['session', 'state', 'model', 'mode', 'worker', 'device', 'epoch', 'seq', 'age', 'idle']

/** For people: a line of heads, then one for each session. */
export function sessionTable(sessions: readonly RemoteSession[], nowMs: number): string[] {
  return textTable(
    head,
    sessions.map((session) => cells(session, nowMs))
  )
}

function cells(session: RemoteSession, nowMs: number): string[] {
  const { id, state, model, mode, worker, deviceBytes, epoch, lastSeq, createdAt, touchedAt } = session
  const memory = `${(deviceBytes / 2 ** 20).toFixed(1)} MiB`
  const since = (time: string) => duration(nowMs - Date.parse(time))
  return [
    ...[id, state, model, mode, worker, memory, String(epoch), String(lastSeq)],
    ...[since(createdAt), since(touchedAt)]
  ]
}
