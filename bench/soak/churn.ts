import { setTimeout as delay } from 'node:timers/promises'
import type { Mode, ParkReason } from '../../src/session.ts'
import { RawSession } from '../faults/raw-session.ts'
import type { Crowd } from '../faults/session-log.ts'

export interface Churn {
  crowd: Crowd
  name: string
  mode: Mode
  random: () => number
  /** Called for every session that was opened. */
  onCycle: () => void
  /** Called for every session that was resumed. */
  onResumed: () => void
  /** Called for every session that was parked and sent on. */
  onParked: (reason: ParkReason) => void
}

const frameMs = 30
const frames = 6
const pauseMs = 1500
const retryMs = 300
/** In hundredths. */
const abandoned = 10
const slow = 10
const idle = 30

/** Sessions one after the other, each opened, left, resumed and closed; some abandoned, some read slowly, some idle until parked. */
export async function churn({
  crowd,
  name,
  mode,
  random,
  onCycle,
  onResumed,
  onParked
}: Churn): Promise<void> {
  for (let i = 0; crowd.phase !== 'ending'; i++) {
    crowd.sessions.length = 0
    const session = new RawSession(crowd, {
      key: `${name}.${i}`,
      model: 'fake',
      mode,
      delivery: 'lossless',
      large: false
    })
    const gateway = (): number => Math.floor(random() * crowd.doors.length)
    if (!(await session.attach(gateway()))) {
      await delay(retryMs)
      continue
    }
    onCycle()
    const draw = random() * 100
    await send(session)
    if (draw < slow) {
      session.pause()
      await delay(pauseMs)
      session.resume()
    }
    if (draw >= 100 - abandoned) {
      session.crash()
      continue
    }
    if (session.isResumable) {
      session.crash()
      await session.untilCut()
      if (!(await session.attach(gateway()))) continue
      onResumed()
      await send(session)
    }
    const reason = draw >= slow && draw < slow + idle ? await session.untilParked() : null
    if (reason !== null) {
      onParked(reason)
      await send(session)
    }
    await session.close()
  }
}

async function send(session: RawSession): Promise<void> {
  for (let i = 0; i < frames; i++) {
    session.sendFrame()
    await delay(frameMs)
  }
}
