import type { Cell } from './cell.ts'
import { RawSession } from './raw-session.ts'
import type { Crowd } from './session-log.ts'

/** Nobody yet, before the gateways of a cell. */
export function newCrowd({ doors }: Cell): Crowd & { end: () => void } {
  let end = (): void => {}
  const ending = new Promise<void>((resolve) => (end = resolve))
  return {
    doors: doors.map(({ port }) => `http://127.0.0.1:${port}`),
    ...{ sessions: [], stuck: [], canResume: true, phase: 'restless', refusals: new Map() },
    ...{ ending, end }
  }
}

/** Servers that do not, refuse such a session: it is a member of `config` that they do not know. */
export async function knowsResumable(crowd: Crowd): Promise<boolean> {
  const trial = { ...crowd, sessions: [] }
  const session = new RawSession(trial, { key: 'trial', model: 'fake', delivery: 'lossless', large: false })
  if (!(await session.attach(0))) return false
  const { isResumable } = session
  await session.close()
  return isResumable
}
