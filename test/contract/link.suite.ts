import { describe, expect, test } from 'vitest'
import type { OpenedSession, SessionEvent } from '../../src/session.ts'
import type {
  GatewayLink,
  NoteHandler,
  OpenPast,
  Route,
  SessionCommand,
  SessionLink,
  WorkerEvent,
  WorkerLink,
  WorkerNote
} from '../../src/sessions/link.ts'
import type { SessionRow } from '../../src/sessions/session-store.ts'
import type { DepthlessOutcome } from '../../src/sessions/sessions.ts'
import { hashModel, hashAccount, hashOptions, hashTerms, testFrame } from '../helpers/hash-engine.ts'
import { Received } from '../helpers/received.ts'

export interface LinkEnds {
  gateway: GatewayLink
  /** Another worker's end of the same link. */
  makeWorker(): WorkerLink
}

interface Command {
  sessionId: string
  token: number
  command: SessionCommand
}

const openedHash: OpenedSession = {
  ...{ model: 'hash', modelDigest: 'd', mode: 'ovda', cacheSize: 8, epoch: 0 },
  ...{ continuity: null, replay: { keepsFirst: false, recent: 21 }, maxInFlight: 4, bytes: 100 }
}
const outcomes: DepthlessOutcome[] = [
  { type: 'drop', seq: 10, reason: 'superseded' },
  { type: 'error', seq: 11, code: 'FRAME_EMPTY', detail: 'no payload' }
]

const past: OpenPast = {
  context: {
    ...{
      epoch: 3,
      framesSeen: null,
      digest: 'ab',
      seam: Buffer.from([7, 7]),
      latents: null,
      notes: { x: [1] }
    },
    frames: [testFrame(4, Buffer.from([1])), testFrame(5, Buffer.from([2, 3]))]
  },
  told: [{ type: 'result', seq: 5, message: Buffer.from([9, 0]) }, ...outcomes],
  after: 11
}

const row: SessionRow = {
  ...{ id: 'a', state: 'attached', model: 'hash', modelDigest: 'd', mode: 'ovda', workerId: 'w' },
  ...{ workerInstance: 'i', gatewayId: 'g', token: 2, tokenHash: 'b', previousTokenHash: 'a', owner: null },
  ...{ resumable: true, graceMs: 1000, priority: 5, bytes: 10, deviceBytes: 10, move: null, epoch: 1 },
  ...{ lastSeq: 7, createdAtMs: 1, touchedAtMs: 2, deadlineMs: null, terms: hashTerms }
}

/** What every link promises. `makeLink` closes what it makes. */
export function linkSuite(name: string, makeLink: () => Promise<LinkEnds>): void {
  describe(`${name} link`, () => {
    test('commands and events of every kind arrive as they were sent', async () => {
      const { gateway, makeWorker } = await makeLink()
      const commands = await listen(makeWorker(), 'w')
      const { link } = attach(gateway, route('a'))
      const sent: SessionCommand[] = [
        { type: 'open', options: hashOptions, account: hashAccount, resumable: true },
        { type: 'frame', frame: testFrame(9, Buffer.from([0, 1, 2, 255])) },
        { type: 'frame', frame: testFrame(12, Buffer.from([3])), aside: { acked: 9, settled: outcomes } },
        { type: 'flush', id: 'ü' },
        { type: 'reset' },
        { type: 'aside', aside: { acked: 2 ** 40, settled: [] } },
        { type: 'adopt', afterSeq: -1, row },
        { type: 'join', afterSeq: 7, settled: outcomes },
        { type: 'join', afterSeq: null, settled: [] },
        { type: 'detach' },
        { type: 'close' }
      ]
      for (const command of sent) link.send(command)
      await commands.until((all) => all.length === sent.length)
      expect(commands.all.map(({ command }) => plain(command))).toEqual(sent.map(plain))
      expect(commands.all.every(({ sessionId, token }) => sessionId === 'a' && token === 1)).toBe(true)
    })

    test('a worker is told what another or a gateway has to say to it, sessions with all of their past', async () => {
      const { gateway, makeWorker } = await makeLink()
      const notes = new Received<WorkerNote>()
      await listen(makeWorker(), 'w', notes.push)
      const other = makeWorker()
      await listen(other, 'other')
      const moving = {
        sessionId: 'a',
        token: 3,
        options: hashOptions,
        account: hashAccount,
        resumable: true,
        past
      }
      const sent: WorkerNote[] = [
        { type: 'moveIn', from: 'other', moving },
        { type: 'movedIn', sessionId: 'a', token: 3, isHere: false },
        { type: 'drain' },
        { type: 'rebalance' }
      ]
      for (const note of sent.slice(0, 2)) await other.tell('w', note)
      await gateway.tell('w', { type: 'drain' })
      await gateway.tell('w', { type: 'rebalance' })
      await notes.until((all) => all.length === sent.length)
      expect(notes.all.map(plain)).toEqual(sent.map(plain))
    })

    test('a session is opened with all of its past', async () => {
      const { gateway, makeWorker } = await makeLink()
      const commands = await listen(makeWorker(), 'w')
      const open: SessionCommand = {
        type: 'open',
        options: hashOptions,
        account: hashAccount,
        resumable: true,
        past
      }
      attach(gateway, route('a')).link.send(open)
      await commands.until((all) => all.length === 1)
      expect(plain(commands.all[0]?.command)).toEqual(plain(open))
    })

    test('events of every kind arrive as they were emitted', async () => {
      const { gateway, makeWorker } = await makeLink()
      const worker = makeWorker()
      await listen(worker, 'w')
      const { events } = attach(gateway, route('a'))
      const emitted: WorkerEvent[] = [
        { type: 'opened', opened: openedHash },
        {
          ...{ type: 'adopted', opened: openedHash, options: hashOptions, offer: hashModel },
          resumed: { continuity: 'exact', epoch: 2, digest: 'ab', seq: 2, after: 2 ** 40, unsettled: [3, 9] }
        },
        { type: 'taken' },
        { type: 'openFailed', code: 'NO_CAPACITY', detail: 'full', retryAfterMs: null },
        { type: 'result', seq: 2 ** 40, message: Buffer.from([0, 10, 13, 255]) },
        { type: 'drop', seq: 3, reason: 'superseded' },
        { type: 'error', seq: null, code: 'EXECUTOR_FAILED', detail: 'gone' },
        { type: 'reset', seq: null, epoch: 2, reason: 'client' },
        { type: 'recovered', seq: 4, epoch: 3, continuity: 'rebuilt' },
        { type: 'flushed', id: 'x', epoch: 3, seq: 4, digest: 'd' },
        { type: 'closed' }
      ]
      for (const event of emitted) worker.emit('a', 1, event)
      await events.until((all) => all.length === emitted.length)
      expect(events.all.map(plain)).toEqual(emitted.map(plain))
    })

    test('64 sessions interleaved over two workers lose nothing and reorder nothing, either way', async () => {
      const { gateway, makeWorker } = await makeLink()
      const workers = await Promise.all(
        ['w0', 'w1'].map(async (id) => {
          const worker = makeWorker()
          const echo = (sessionId: string, token: number, command: SessionCommand): void => {
            if (command.type !== 'frame') return
            const { seq } = command.frame.header
            worker.emit(sessionId, token, { type: 'result', seq, message: command.frame.payload })
          }
          await worker.listen(id, echo, () => {})
          return worker
        })
      )
      expect(workers.length).toBe(2)
      const sessions = Array.from({ length: 64 }, (_, s) =>
        attach(gateway, route(`s${s}`, { workerId: `w${s % 2}` }))
      )
      const perSession = 25
      for (let seq = 0; seq < perSession; seq++) {
        sessions.forEach(({ link }, s) => {
          link.send({ type: 'frame', frame: testFrame(seq, Buffer.from(`${s}:${seq}`)) })
        })
        if (seq % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      for (const [s, { events }] of sessions.entries()) {
        await events.until((all) => all.length === perSession)
        const payloads = events.all.map((event) =>
          event.type === 'result' ? text(event.message) : event.type
        )
        expect(payloads).toEqual(Array.from({ length: perSession }, (_, seq) => `${s}:${seq}`))
      }
    })

    test('a worker hears only what is routed to it', async () => {
      const { gateway, makeWorker } = await makeLink()
      const [first, second] = [await listen(makeWorker(), 'w1'), await listen(makeWorker(), 'w2')]
      attach(gateway, route('a', { workerId: 'w1' })).link.send({ type: 'reset' })
      attach(gateway, route('b', { workerId: 'w2' })).link.send({ type: 'reset' })
      await first.until((all) => all.length === 1)
      await second.until((all) => all.length === 1)
      expect(first.all[0]?.sessionId).toBe('a')
      expect(second.all[0]?.sessionId).toBe('b')
    })

    test('the token of the route travels with every command', async () => {
      const { gateway, makeWorker } = await makeLink()
      const commands = await listen(makeWorker(), 'w')
      attach(gateway, route('a', { token: 7 })).link.send({ type: 'reset' })
      await commands.until((all) => all.length === 1)
      expect(commands.all).toEqual([{ sessionId: 'a', token: 7, command: { type: 'reset' } }])
    })

    test('a session that was detached hears nothing more, and others still do', async () => {
      const { gateway, makeWorker } = await makeLink()
      const worker = makeWorker()
      await listen(worker, 'w')
      const gone = attach(gateway, route('a'))
      const stays = attach(gateway, route('b'))
      gone.link.detach()
      gone.link.detach()
      worker.emit('a', 1, flushed('1'))
      worker.emit('b', 1, flushed('2'))
      await stays.events.until((all) => all.length === 1)
      expect(gone.events.all).toEqual([])
    })

    test('a session may be silent for as long as it likes and then go on', async () => {
      const { gateway, makeWorker } = await makeLink()
      const commands = await listen(makeWorker(), 'w')
      const { link } = attach(gateway, route('a'))
      for (let seq = 0; seq < 60; seq++) {
        link.send({ type: 'frame', frame: testFrame(seq, Buffer.from('x')) })
        await commands.until((all) => all.length === seq + 1)
        // Pauses from none to well above the linger of the Redis link under test, which ends turns.
        await new Promise((resolve) => setTimeout(resolve, seq % 12))
      }
      expect(commands.all.map(seqOf)).toEqual(Array.from({ length: 60 }, (_, seq) => seq))
    })

    test('what a worker emits just before it closes still arrives', async () => {
      const { gateway, makeWorker } = await makeLink()
      const worker = makeWorker()
      await listen(worker, 'w')
      const { events } = attach(gateway, route('a'))
      worker.emit('a', 1, { type: 'closed' })
      await worker.close()
      await worker.close()
      await events.until((all) => all.length === 1)
    })
  })
}

function route(sessionId: string, over: Partial<Route> = {}): Route {
  return { sessionId, workerId: 'w', token: 1, ...over }
}

async function listen(
  worker: WorkerLink,
  id: string,
  onNote: NoteHandler = () => {}
): Promise<Received<Command>> {
  const commands = new Received<Command>()
  await worker.listen(id, (sessionId, token, command) => commands.push({ sessionId, token, command }), onNote)
  return commands
}

function attach(gateway: GatewayLink, to: Route): { link: SessionLink; events: Received<WorkerEvent> } {
  const events = new Received<WorkerEvent>()
  const link = gateway.attach(to, events.push, (error) => events.push(asEvent(error)))
  return { link, events }
}

/** A failure of the link shows up among the events, so that no test mistakes it for silence. */
function asEvent(error: { code: string; message: string }): SessionEvent {
  return flushed(`link failed: ${error.code} ${error.message}`)
}

function seqOf({ command }: Command): number {
  return command.type === 'frame' ? command.frame.header.seq : NaN
}

/** With bytes as hex: a Buffer and a Uint8Array of the same bytes are the same message. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

function flushed(id: string): SessionEvent {
  return { type: 'flushed', id, epoch: 1, seq: -1, digest: '' }
}
