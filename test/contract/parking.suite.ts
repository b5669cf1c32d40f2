import { describe, expect, test } from 'vitest'
import type { ValidFrame } from '../../src/wire/frame.ts'
import type { SessionHandle, Sessions } from '../../src/sessions/index.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { parkTimes } from '../../src/sessions/worker/parking/park-policy.ts'
import { EventLog } from '../helpers/event-log.ts'
import { eventually } from '../helpers/eventually.ts'
import { expectedChain, hashOptions, resultPayload, testFrame } from '../helpers/hash-engine.ts'
import type { HashEngine } from '../helpers/hash-engine.ts'

/** One gateway and one worker, whose sessions take 100 bytes each. Whoever makes it closes it. */
export interface ParkingCell {
  engine: HashEngine
  store: SessionStore
  gateway: Sessions
}

export interface ParkingCellOptions {
  capacityBytes: number
  parkAfterMs: number
}

/** What every way from gateways to workers promises of sessions that leave device memory. */
export function parkingSuite(
  name: string,
  makeCell: (options: ParkingCellOptions) => Promise<ParkingCell>
): void {
  describe(`parking, ${name}`, () => {
    test('an idle session gives its memory away, is told so, and comes back exact with its next frame', async () => {
      const { engine, gateway, store } = await makeCell({ capacityBytes: 200, parkAfterMs: 300 })
      const client = await Client.open(gateway)
      await client.send(2)
      await client.parked()
      expect(client.log.all.slice(-2)).toMatchObject([
        { type: 'notice', reason: 'idle', bytes: 100, deadlineMs: expect.any(Number) },
        { type: 'parked', reason: 'idle', bytes: 100 }
      ])
      expect(engine.parkedBytes).toBe(100)
      expect(await store.session(client.handle.id)).toMatchObject({ state: 'parked', deviceBytes: 0 })
      expect(await reservedBytes(store)).toBe(0)
      await client.send(1)
      expect(client.log.all.find(({ type }) => type === 'recovered')).toMatchObject({ continuity: 'exact' })
      client.expectExact()
    })

    test('a session with a frame in flight keeps its memory', async () => {
      const { engine, gateway, store } = await makeCell({ capacityBytes: 200, parkAfterMs: 300 })
      const [idle, busy] = [await Client.open(gateway), await Client.open(gateway)]
      engine.hold()
      const answered = busy.send(1)
      await eventually(() => engine.sessions.get(busy.handle.id)?.waiting.length).toBe(1)
      // Whoever waits for a frame of its own does not keep others from parking.
      await eventually(() => idle.types()).toContain('notice')
      expect(await store.session(busy.handle.id)).toMatchObject({ deviceBytes: 100 })
      engine.resume()
      await answered
      await busy.send(1)
      busy.expectExact()
    })

    test('what comes while a session parks, or is parked, keeps its order', async () => {
      const { gateway } = await makeCell({ capacityBytes: 200, parkAfterMs: 200 })
      const client = await Client.open(gateway)
      await client.send(1)
      await client.parked()
      client.handle.flush('parked')
      await client.log.until((events) => events.at(-1)?.type === 'flushed')
      client.submit(2)
      client.handle.flush('after')
      client.submit(1)
      await client.settled()
      const told = client.types().filter((type) => type === 'result' || type === 'flushed')
      expect(told).toEqual(['result', 'flushed', 'result', 'result', 'flushed', 'result'])
      client.expectExact()
    })

    test('where no room can be had, the frame fails, and the session stays parked until there is some', async () => {
      const { engine, gateway, store } = await makeCell({ capacityBytes: 200, parkAfterMs: 300 })
      const client = await Client.open(gateway)
      await client.send(1)
      await client.parked()
      const others = [await Client.open(gateway), await Client.open(gateway)]
      engine.hold()
      const answered = others.map((other) => other.send(1))
      await eventually(() => reservedBytes(store)).toBe(200)
      await eventually(() =>
        others.map(({ handle }) => engine.sessions.get(handle.id)?.waiting.length)
      ).toEqual([1, 1])
      await client.send(1)
      expect(client.log.all.at(-1)).toMatchObject({ type: 'error', seq: 1, code: 'NO_CAPACITY' })
      expect(await store.session(client.handle.id)).toMatchObject({ state: 'parked', deviceBytes: 0 })
      engine.resume()
      await Promise.all(answered)
      await eventually(async () => {
        await client.send(1)
        return client.log.all.at(-1)?.type
      }).toBe('result')
      client.expectExact()
    })

    test('a full worker takes a newcomer, and parks who is idle for longest', async () => {
      const { gateway, store } = await makeCell({ capacityBytes: 200, parkAfterMs: 0 })
      const [idle, recent] = [await Client.open(gateway), await Client.open(gateway)]
      await idle.send(1)
      await recent.send(1)
      const newcomer = await opened(gateway)
      await newcomer.send(1)
      expect(idle.log.all.slice(1)).toMatchObject([
        { type: 'notice', reason: 'capacity', deadlineMs: 0 },
        { type: 'parked', reason: 'capacity', bytes: 100 }
      ])
      expect(recent.types()).toEqual(['result'])
      expect(await reservedBytes(store)).toBe(200)
      // And back, for another.
      await eventually(async () => {
        await idle.send(1)
        return idle.log.all.at(-1)?.type
      }).toBe('result')
      expect(await reservedBytes(store)).toBe(200)
      for (const client of [idle, recent, newcomer]) client.expectExact()
    })

    test('lower priority is parked first', async () => {
      const { gateway } = await makeCell({ capacityBytes: 200, parkAfterMs: 0 })
      const high = await Client.open(gateway, { priority: 9 })
      const low = await Client.open(gateway, { priority: 0 })
      await high.send(1)
      await low.send(1)
      // Only among those who may both be parked does priority choose.
      await new Promise((resolve) => setTimeout(resolve, parkTimes(0).spareMs + 100))
      const newcomer = await opened(gateway)
      expect([high.types().includes('parked'), low.types().includes('parked')]).toEqual([false, true])
      await newcomer.handle.close()
    })

    test('a newcomer finds no room where everybody is busy', async () => {
      const { engine, gateway, store } = await makeCell({ capacityBytes: 100, parkAfterMs: 0 })
      const busy = await Client.open(gateway)
      engine.hold()
      const answered = busy.send(1)
      await eventually(() => engine.sessions.get(busy.handle.id)?.waiting.length).toBe(1)
      await expect(gateway.open(hashOptions, () => {})).rejects.toMatchObject({ code: 'NO_CAPACITY' })
      engine.resume()
      await answered
      expect((await store.workers()).live).toMatchObject([{ reservedBytes: 100, sessions: 1 }])
      busy.expectExact()
    })

    test('a session that nobody holds is parked, and goes on exact where it is taken up', async () => {
      const { gateway, store } = await makeCell({ capacityBytes: 200, parkAfterMs: 300 })
      const client = await Client.open(gateway, { resumable: true })
      await client.send(2)
      await client.handle.detach()
      await eventually(async () => (await store.session(client.handle.id))?.state).toBe('parked')
      await client.resume(gateway)
      await client.send(1)
      client.expectExact()
      await client.handle.close()
      await eventually(() => reservedBytes(store)).toBe(0)
    })

    test('however frames come, sessions stay exact, and rows have what is reserved', async () => {
      const { engine, gateway, store } = await makeCell({ capacityBytes: 300, parkAfterMs: 100 })
      const clients: Client[] = []
      for (let i = 0; i < 6; i++) {
        await eventually(async () => (await reservedBytes(store)) <= 200).toBe(true)
        clients.push(await Client.open(gateway))
      }
      for (let turn = 1; turn <= 6; turn++) {
        await Promise.all(clients.filter((_, i) => (i * turn) % 3 !== 0).map((client) => client.send(turn)))
        const { sessions } = await store.listSessions({ owner: null, cursor: null, limit: 100 })
        expect(sessions.reduce((sum, row) => sum + row.deviceBytes, 0)).toBeLessThanOrEqual(300)
      }
      await eventually(() => engine.parkedBytes).toBe(600)
      await eventually(() => reservedBytes(store)).toBe(0)
      for (const client of clients) client.expectExact()
    })
  })
}

/** Once the worker has said that it could park somebody. */
async function opened(gateway: Sessions): Promise<Client> {
  let client: Client | null = null
  await eventually(async () => {
    client = await Client.open(gateway).catch(() => null)
    return client !== null
  }).toBe(true)
  return client ?? expect.fail('it is open')
}

async function reservedBytes(store: SessionStore): Promise<number> {
  return (await store.workers()).live.reduce((sum, row) => sum + row.reservedBytes, 0)
}

/** One that counts an outcome for each frame, and knows which of them the session has seen. */
class Client {
  handle: SessionHandle
  log: EventLog
  readonly #sent = new Map<number, ValidFrame>()
  readonly #before: EventLog[] = []

  static async open(
    gateway: Sessions,
    wish: { resumable?: boolean; priority?: number } = {}
  ): Promise<Client> {
    const log = new EventLog()
    return new Client(await gateway.open({ ...hashOptions, ...wish }, log.push), log)
  }

  constructor(handle: SessionHandle, log: EventLog) {
    this.handle = handle
    this.log = log
  }

  types(): string[] {
    return this.log.all.map(({ type }) => type)
  }

  /** Until nothing follows that it is parked. */
  async parked(): Promise<void> {
    await this.log.until((events) => events.at(-1)?.type === 'parked')
  }

  submit(count: number): void {
    for (let i = 0; i < count; i++) {
      const seq = this.#sent.size
      const frame = testFrame(seq, Buffer.from(`${this.handle.id}:${seq}`))
      this.#sent.set(seq, frame)
      this.handle.submit(frame)
    }
  }

  /** Until each frame has an outcome. */
  async settled(): Promise<void> {
    await eventually(() => this.#outcomes().length >= this.#sent.size).toBe(true)
  }

  async send(count: number): Promise<void> {
    this.submit(count)
    await this.settled()
  }

  async resume(gateway: Sessions): Promise<void> {
    const last = this.#outcomes().at(-1)?.seq ?? -1
    const log = new EventLog()
    const position = { session: this.handle.id, token: this.handle.resumeToken, epoch: 0, seq: last }
    this.handle = await gateway.resume(position, log.push)
    this.#before.push(this.log)
    this.log = log
  }

  /** Each result has the chain of all frames that had one. */
  expectExact(): void {
    const results = this.#events().filter((event) => event.type === 'result')
    const frames = results.flatMap(({ seq }) => this.#sent.get(seq) ?? [])
    expect(results.map(({ message }) => resultPayload(message))).toEqual(expectedChain(frames))
    expect(this.#outcomes().map(({ seq }) => seq)).toEqual([...this.#sent.keys()])
  }

  #events() {
    return [...this.#before, this.log].flatMap(({ all }) => all)
  }

  #outcomes() {
    return this.#events().flatMap((event) =>
      (event.type === 'result' || event.type === 'drop' || event.type === 'error') && event.seq !== null
        ? [{ seq: event.seq }]
        : []
    )
  }
}
