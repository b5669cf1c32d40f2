import { describe, expect, onTestFinished, test } from 'vitest'
import { unpackContext } from '../../src/wire/context-bytes.ts'
import type { ValidFrame } from '../../src/wire/frame.ts'
import { outputOptions } from '../../src/wire/output.ts'
import type { SessionEvent } from '../../src/session.ts'
import type { SessionGatewayOptions } from '../../src/sessions/gateway/session-gateway.ts'
import type { OpenWish, SessionHandle, Sessions } from '../../src/sessions/index.ts'
import { EventLog } from '../helpers/event-log.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine, hashOptions, testFrame } from '../helpers/hash-engine.ts'
import { Witness } from '../helpers/witness.ts'

/** A gateway and workers that meet somewhere; what it starts ends with the test. */
export interface Cell {
  startGateway(options?: Partial<SessionGatewayOptions>): Promise<Sessions>
  startWorker(engine: HashEngine): Promise<DoomedWorker>
}

export interface DoomedWorker {
  /** As a crash: from now on it says and hears nothing. */
  kill(): void
}

const ringBytes = 2 ** 20

/** What a session keeps when its worker is lost, whatever carries it. */
export function lostWorkerSuite(name: string, makeCell: () => Promise<Cell>): void {
  describe(`${name}: a session whose worker is lost`, { timeout: 60_000 }, () => {
    for (const delivery of ['latest', 'lossless'] as const) {
      test(`goes on elsewhere, ${delivery}, exactly where all its frames are kept, and loses none`, async () => {
        const { client, gateway, first, second } = await twoWorkers(await makeCell())
        const session = await client(gateway, { ...hashOptions, delivery })
        await session.play(5)
        first.engine.hold()
        session.send(3)
        first.kill()
        session.send(2)
        await session.outcomes(10)
        expect(second.engine.sessions.size).toBe(1)
        expect(session.witness()).toEqual(['exact'])
      })
    }

    test('is rebuilt from the last frames where they are not all, and its epoch rises', async () => {
      const { client, gateway, first } = await twoWorkers(await makeCell())
      const session = await client(gateway)
      await session.play(40)
      first.kill()
      session.send(3)
      await session.outcomes(43)
      expect(session.witness()).toEqual(['rebuilt'])
      expect(session.log.all).toContainEqual({
        ...{ type: 'recovered', seq: 40, epoch: 1, continuity: 'rebuilt' }
      })
    })

    test('begins anew where nothing is kept, and says so', async () => {
      const { client, gateway, first } = await twoWorkers(await makeCell(), { ringBytes: 0 })
      const session = await client(gateway)
      await session.play(4)
      first.kill()
      session.send(2)
      await session.outcomes(6)
      expect(session.witness()).toEqual(['new'])
    })

    test('may be lost again, and flushes and resets keep their place', async () => {
      const cell = await makeCell()
      const { client, gateway, first, second } = await twoWorkers(cell)
      const session = await client(gateway)
      await session.play(4)
      first.engine.hold()
      second.engine.hold()
      session.send(1)
      session.handle.flush('a')
      session.handle.reset()
      session.send(2)
      first.kill()
      await eventually(() => second.engine.sessions.size).toBe(1)
      const third = new HashEngine()
      await cell.startWorker(third)
      second.kill()
      await eventually(() => third.sessions.size).toBe(1)
      session.handle.flush('b')
      await session.log.until((all) => all.some((event) => event.type === 'flushed' && event.id === 'b'))
      const order = session.log.all
        .slice(4)
        .map((event) => ('seq' in event ? `${event.type} ${event.seq}` : ''))
      expect(order).toEqual([
        'recovered 4',
        'result 4',
        'flushed 4',
        'reset null',
        'result 5',
        'result 6',
        'flushed 6'
      ])
      expect(session.witness()).toEqual(['exact'])
    })

    test('hands depth maps out as it was last updated, whether that was answered or not', async () => {
      const { client, gateway, first, second } = await twoWorkers(await makeCell())
      const session = await client(gateway)
      const updated = (id: string, format: 'jpeg' | 'f32') =>
        session.handle.update({ id, output: outputOptions({ format }) })
      await session.play(2)
      updated('a', 'jpeg')
      await session.log.until((all) => all.some(({ type }) => type === 'updated'))
      first.engine.hold()
      second.engine.hold()
      session.send(1)
      updated('b', 'f32')
      session.send(1)
      first.kill()
      await eventually(() => second.engine.sessions.get(session.handle.id)?.output.format).toBe('jpeg')
      second.engine.resume()
      await session.outcomes(4)
      expect(second.engine.sessions.get(session.handle.id)?.output.format).toBe('f32')
      const order = session.log.all.map((event) =>
        'seq' in event ? `${event.type} ${event.seq}` : event.type
      )
      expect(order).toEqual([
        'result 0',
        'result 1',
        'updated',
        'recovered 2',
        'result 2',
        'updated',
        'result 3'
      ])
      expect(session.witness()).toEqual(['exact'])
    })

    test('has its checkpoint from the next worker, in its place among the frames', async () => {
      const { client, gateway, first } = await twoWorkers(await makeCell())
      const session = await client(gateway)
      await session.play(3)
      first.engine.hold()
      session.send(2)
      session.handle.checkpoint({ id: 'a', seq: 4, maxBytes: 2 ** 20 })
      session.send(2)
      first.kill()
      const { saved, seq } = await session.checkpoint('a')
      const { context } = await unpackContext(saved)
      expect(seq).toBe(4)
      expect(context).toMatchObject({ framesSeen: 5 })
      expect(context.frames.map(({ header }) => header.seq)).toEqual([0, 1, 2, 3, 4])
      await session.outcomes(7)
      expect(session.witness()).toEqual(['exact'])
    })

    test('goes on from the frames of the checkpoint that it began with', async () => {
      const { client, gateway, first, second } = await twoWorkers(await makeCell())
      const before = await new Client(gateway).open(hashOptions)
      await before.play(4)
      before.handle.checkpoint({ id: 'a', seq: 3, maxBytes: 2 ** 20 })
      const from = await unpackContext((await before.checkpoint('a')).saved)
      await before.handle.close()
      const session = await client(gateway, { ...hashOptions, from })
      session.handle.submit(testFrame(4, Buffer.from('one')))
      await session.outcomes(1)
      first.kill()
      session.handle.submit(testFrame(5, Buffer.from('two')))
      await session.outcomes(2)
      const told = session.log.all.flatMap((event) => (event.type === 'recovered' ? [event.continuity] : []))
      expect(told).toEqual(['exact', 'rebuilt'])
      expect([...second.engine.sessions.values()][0]?.frames).toHaveLength(6)
    })

    test('waits for a worker that is started later', async () => {
      const cell = await makeCell()
      const gateway = await cell.startGateway({ ringBytes })
      const engine = new HashEngine()
      const worker = await cell.startWorker(engine)
      const session = await new Client(gateway).open(hashOptions)
      await session.play(3)
      worker.kill()
      session.send(2)
      await eventually(() => gateway.readiness()).toMatchObject({ ready: false })
      await cell.startWorker(new HashEngine())
      await session.outcomes(5)
      expect(session.witness()).toEqual(['exact'])
    })

    test('ends with an error for each frame when no worker takes it in time', async () => {
      const cell = await makeCell()
      const times = { replaceTimeoutMs: 200 }
      const gateway = await cell.startGateway({ ringBytes, times })
      const engine = new HashEngine()
      const worker = await cell.startWorker(engine)
      const session = await new Client(gateway).open(hashOptions)
      await session.play(3)
      engine.hold()
      session.send(2)
      worker.kill()
      expect((await session.log.ended()).slice(3)).toMatchObject([
        { type: 'error', seq: 3, code: 'WORKER_LOST' },
        { type: 'error', seq: 4, code: 'WORKER_LOST' },
        { type: 'error', seq: null, code: 'WORKER_LOST' }
      ])
      await session.handle.close()
    })

    test('can be closed while it has no worker, and nothing of it is left', async () => {
      const cell = await makeCell()
      const gateway = await cell.startGateway({ ringBytes })
      const engine = new HashEngine()
      const worker = await cell.startWorker(engine)
      const session = await new Client(gateway).open(hashOptions)
      await session.play(3)
      engine.hold()
      session.send(1)
      worker.kill()
      await eventually(() => gateway.readiness()).toMatchObject({ ready: false })
      await session.handle.close()
      expect(session.log.all.at(-1)).toEqual({ type: 'drop', seq: 3, reason: 'closed' })
      const next = new HashEngine(100)
      await cell.startWorker(next)
      await eventually(() =>
        new Client(gateway).open(hashOptions).then(({ handle }) => handle.close())
      ).toBeUndefined()
    })

    test('that four workers in a row died of is given to no fifth', async () => {
      const cell = await makeCell()
      const gateway = await cell.startGateway({ ringBytes })
      const first = await cell.startWorker(new HashEngine())
      const session = await new Client(gateway).open(hashOptions)
      await session.play(1)
      let worker = first
      session.send(0)
      for (let deaths = 1; deaths <= 4; deaths++) {
        const engine = new HashEngine()
        engine.hold()
        const next = await cell.startWorker(engine)
        worker.kill()
        if (deaths === 1) session.send(1)
        if (deaths < 4) await eventually(() => engine.sessions.size).toBe(1)
        worker = next
      }
      expect((await session.log.ended()).at(-1)).toMatchObject({ seq: null, code: 'WORKER_LOST' })
    })

    test(
      'goes on after any number of them where none of its frames waited',
      { timeout: 300_000 },
      async () => {
        const cell = await makeCell()
        const gateway = await cell.startGateway({ ringBytes })
        let worker = await cell.startWorker(new HashEngine())
        const session = await new Client(gateway).open(hashOptions)
        await session.play(3)
        for (let deaths = 1; deaths <= 4; deaths++) {
          const engine = new HashEngine()
          const next = await cell.startWorker(engine)
          worker.kill()
          await eventually(() => engine.sessions.size).toBe(1)
          worker = next
        }
        await session.play(1)
        expect(session.witness()).toEqual(['exact'])
      }
    )

    test('goes on with fifty others that were lost with it, and each with its own past', async () => {
      const cell = await makeCell()
      const gateway = await cell.startGateway({ ringBytes: 2 ** 22 })
      const engine = new HashEngine()
      const worker = await cell.startWorker(engine)
      const sessions = await Promise.all(
        Array.from({ length: 50 }, () => new Client(gateway).open(hashOptions))
      )
      await Promise.all(sessions.map((session) => session.play(4)))
      engine.hold()
      for (const session of sessions) session.send(2)
      // Two of them: neither could take all.
      await Promise.all([1, 2].map(() => cell.startWorker(new HashEngine(2600))))
      worker.kill()
      for (const session of sessions) session.send(2)
      await Promise.all(sessions.map((session) => session.outcomes(8)))
      expect(sessions.flatMap((session) => session.witness())).toEqual(sessions.map(() => 'exact'))
    })
  })
}

async function twoWorkers(cell: Cell, options: Partial<SessionGatewayOptions> = {}) {
  const gateway = await cell.startGateway({ ringBytes, ...options })
  const engines = [new HashEngine(), new HashEngine()]
  const first = { engine: engines[0]!, ...(await cell.startWorker(engines[0]!)) }
  const client = async (to: Sessions, wish: OpenWish = hashOptions): Promise<Client> =>
    new Client(to).open(wish)
  const second: { engine: HashEngine; kill: () => void } = { engine: engines[1]!, kill: () => {} }
  return {
    ...{ gateway, first, second },
    /** Its session is on the first worker, and the second is there for what comes. */
    client: async (...args: Parameters<typeof client>) => {
      const opened = await client(...args)
      Object.assign(second, await cell.startWorker(second.engine))
      return opened
    }
  }
}

/** One session and all that its client sent and heard. */
class Client {
  readonly log = new EventLog()
  readonly #gateway: Sessions
  readonly #sent: ValidFrame[] = []
  #handle: SessionHandle | null = null

  constructor(gateway: Sessions) {
    this.#gateway = gateway
  }

  async open(wish: OpenWish): Promise<this> {
    this.#handle = await this.#gateway.open(wish, this.log.push)
    onTestFinished(() => this.#handle?.close())
    return this
  }

  get handle(): SessionHandle {
    return this.#handle!
  }

  send(count: number): void {
    for (let n = 0; n < count; n++) {
      const seq = this.#sent.length
      const frame = testFrame(seq, Buffer.from(`${this.handle.id}:${seq}`))
      this.#sent.push(frame)
      this.handle.submit(frame)
    }
  }

  /** Until so many frames have their outcome. */
  async outcomes(count: number): Promise<void> {
    const isOutcome = ({ type }: { type: string }): boolean => ['result', 'drop', 'error'].includes(type)
    await this.log.until((all) => all.filter(isOutcome).length >= count)
  }

  async play(count: number): Promise<void> {
    this.send(count)
    await this.outcomes(this.#sent.length)
  }

  /** The answer, once it is here. */
  async checkpoint(id: string): Promise<Extract<SessionEvent, { type: 'checkpoint' }>> {
    const isIt = (event: SessionEvent): boolean => event.type === 'checkpoint' && event.id === id
    await this.log.until((all) => all.some(isIt))
    return this.log.all.find(isIt) as Extract<SessionEvent, { type: 'checkpoint' }>
  }

  /** What it was told of its past, once all that it heard was found true. */
  witness(): string[] {
    const witness = new Witness(this.#sent)
    witness.check(this.log.all)
    return witness.continuities
  }
}
