import { expect, onTestFinished, vi } from 'vitest'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { Failures } from '../../../src/api/failures.ts'
import { Connection } from '../../../src/api/stream/connection.ts'
import { ContextRoom } from '../../../src/api/stream/context-arrival.ts'
import { StreamMeter } from '../../../src/api/stream/stream-meter.ts'
import { Deferred } from '../../../src/deferred.ts'
import { decodeMessage } from '../../../src/wire/frame.ts'
import type { SessionEvent } from '../../../src/session.ts'
import type { Sessions, WantedPast } from '../../../src/sessions/index.ts'
import { embeddedSessions } from '../../../src/sessions/index.ts'
import type { FakeEngineOptions } from '../../helpers/fake-engine.ts'
import { fakeEngine, testModel } from '../../helpers/fake-engine.ts'
import { greyFrame } from '../../helpers/stream-client.ts'

/** Lines of its log. */
export const logged: string[] = []
const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })
const failures = new Failures({ metrics: new Registry() })

interface Said {
  type: string
  code?: string
  seq?: number
}

export interface Greeting {
  session: string
  resumeToken: string
  limits: { maxInFlight: number }
}

/** A socket that keeps what is sent. */
class ListSocket {
  bufferedBytes = 0
  said: Said[] = []
  sent: (() => void)[] = []
  closed: { code: number; reason: string } | null = null

  send(message: string | Uint8Array, onSent: () => void): void {
    const said: Said =
      typeof message === 'string'
        ? (JSON.parse(message) as Said)
        : { type: 'result', seq: decodeMessage(message).header.seq }
    this.said.push(said)
    this.sent.push(onSent)
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason }
  }

  until(done: (socket: ListSocket) => boolean): Promise<void> {
    return vi.waitFor(() => expect(done(this)).toBe(true), { timeout: 90_000, interval: 2 })
  }
}

/** A connection on the real embedded sessions, and what it says on a socket that keeps it. */
export async function connection(options: FakeEngineOptions & { maxFrameBytes?: number } = {}) {
  const { maxFrameBytes = 2 ** 20, ...engineOptions } = options
  const engine = fakeEngine(engineOptions)
  const sessions = await embeddedSessions(engine, log, { graceMs: 60_000 })
  const socket = new ListSocket()
  const limits = {
    ...{ maxFrameBytes, maxPixels: 2 ** 20, maxContextBytes: 2 ** 20 },
    ...{ idleTimeoutMs: 60_000, configTimeoutMs: 10_000, uploadTimeoutMs: 60_000 }
  }
  const contexts = new ContextRoom(limits.maxContextBytes)
  const events: string[] = []
  const link = { hasRoom: true, submitted: [] as number[], emit: (_: SessionEvent) => {} }
  const heard: Sessions = {
    ...sessions,
    open: async (wishes, onEvent) => {
      link.emit = onEvent
      const session = await sessions.open(wishes, (event) => {
        events.push(event.type)
        onEvent(event)
      })
      return {
        ...session,
        get hasRoom() {
          return link.hasRoom
        },
        submit: (frame) => {
          link.submitted.push(frame.header.seq)
          session.submit(frame)
        }
      }
    }
  }
  const connect = (socket: ListSocket, served: Sessions) =>
    new Connection({
      ...{ socket, sessions: served, opener: { owner: null }, flow: null, limits, contexts, failures },
      ...{ defaultModel: testModel, meter: new StreamMeter(new Registry(), { size: 0 }), log }
    })
  const stream = connect(socket, heard)
  const saying = (to: Connection) => (message: object) =>
    to.receive(Buffer.from(JSON.stringify(message)), 'text')
  onTestFinished(async () => {
    await stream.closed(1006)
    await sessions.close()
  })
  /** Another socket. `wanted`: the past of its session is lost. What the session says comes once `hear` is called. */
  const resumable = (wanted?: WantedPast) => {
    const next = new ListSocket()
    const held = new Deferred<void>()
    const resume: Sessions['resume'] = async (place, onEvent) => {
      const session = await sessions.resume(place, (event) => void held.promise.then(() => onEvent(event)))
      return wanted ? Object.assign(session, { wanted }) : session
    }
    const again = connect(next, { ...sessions, resume })
    onTestFinished(() => again.closed(1006))
    return { socket: next, stream: again, say: saying(again), hear: () => held.resolve() }
  }
  const say = saying(stream)
  return {
    resumable,
    engine,
    link,
    events,
    stream,
    socket,
    say,
    frame: (seq: number) => stream.receive(greyFrame(seq), 'binary')
  }
}

export const types = (socket: ListSocket) => socket.said.map(({ type }) => type)
