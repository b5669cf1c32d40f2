import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { ResumingClient } from '../helpers/resuming-client.ts'
import { continuities, draining, seqs } from './moving-cell.ts'
import type { MovingCell } from './moving-cell.ts'

/** What every way from worker to worker promises of a session that moves. */
export function movingSuite(name: string, makeCell: () => Promise<MovingCell>): void {
  describe(`moving, ${name}`, { timeout: 60_000 }, () => {
    test('a worker that drains gives its sessions to another, exactly, and loses no frame', async () => {
      const { clients, first, second, store } = await draining(await makeCell(), 3)
      for (const client of clients) client.send(...seqs(0, 40))
      await Promise.all(clients.map((client) => client.received(40)))
      const drained = first.drain()
      for (const client of clients) client.send(...seqs(40, 48))
      await drained
      for (const client of clients) client.send(...seqs(48, 50))
      for (const client of clients) await client.expectAll()
      for (const client of clients) expect(continuities(client)).toEqual(['exact'])
      expect([first.engine.sessions.size, second.engine.sessions.size]).toEqual([0, 3])
      const { live } = await store.workers()
      expect(live.find(({ id }) => id === first.id)).toMatchObject({ reservedBytes: 0, sessions: 0 })
      expect(live.find(({ id }) => id === second.id)).toMatchObject({ reservedBytes: 300, sessions: 3 })
      expect(await store.session(clients[0]!.id)).toMatchObject({ state: 'attached', workerId: second.id })
    })

    test('frames that wait for their steps are handed over unstepped, and no one of them is lost or told twice', async () => {
      const { clients, first, second, store } = await draining(await makeCell(), 3)
      for (const client of clients) client.send(...seqs(0, 10))
      await Promise.all(clients.map((client) => client.received(10)))
      first.engine.hold()
      for (const client of clients) client.send(...seqs(10, 20))
      for (const client of clients) await first.waiting(client, 10)
      const drained = first.drain()
      for (const client of clients) client.send(...seqs(20, 25))
      await drained
      for (const client of clients) await client.expectAll()
      for (const client of clients) expect(continuities(client)).toEqual(['exact'])
      expect(second.engine.sessions.size).toBe(3)
      const reserved = (await store.workers()).live.map(({ id, reservedBytes }) => [id, reservedBytes])
      expect(reserved).toEqual([
        [first.id, 0],
        [second.id, 300]
      ])
    })

    test('frames that came through another gateway, and nobody would send again, have their outcomes first', async () => {
      const cell = await makeCell()
      const { clients, first } = await draining(cell, 1)
      const [client] = clients as [ResumingClient]
      client.send(0)
      await client.received(1)
      first.engine.hold()
      client.send(1, 2)
      client.handle.reset()
      await first.waiting(client, 3)
      const { resumed } = await client.resume(await cell.startGateway())
      expect(resumed).toMatchObject({ after: 2, unsettled: [1, 2] })
      const drained = first.drain()
      client.send(3)
      await eventually(async () => (await cell.store.session(client.id))?.state).toBe('moving')
      first.engine.resume()
      await drained
      await client.received(4)
      expect(client.outcomes.map((event) => event.type === 'result' && event.seq)).toEqual([0, 1, 2, 3])
      expect(client.log.all.filter(({ type }) => type === 'reset')).toHaveLength(1)
    })

    test('flushes and resets keep their place, and so do outcomes that the gateway makes', async () => {
      const { clients, first } = await draining(await makeCell(), 1)
      const [client] = clients as [ResumingClient]
      client.send(0)
      await client.received(1)
      first.engine.hold()
      client.send(1)
      client.handle.flush('a')
      client.send(2)
      client.settle(3)
      const drained = first.drain()
      client.handle.flush('b')
      client.send(4)
      client.handle.reset()
      await drained
      client.settle(5)
      client.send(6)
      client.handle.flush('c')
      await client.log.until((events) => events.some((event) => event.type === 'flushed' && event.id === 'c'))
      expect(client.outcomes.map((event) => 'seq' in event && event.seq)).toEqual([0, 1, 2, 3, 4, 5, 6])
      // Of what the gateway makes itself only the place among outcomes is fixed.
      const places = client.log.all.flatMap<string | number>((event) => {
        if (event.type === 'flushed') return [event.id]
        if (event.type === 'reset') return ['reset']
        return event.type === 'result' ? [event.seq] : []
      })
      expect(places).toEqual([0, 1, 'a', 2, 'b', 4, 'reset', 6, 'c'])
    })

    test('a session that nobody holds moves too, with what its client is owed', async () => {
      const cell = await makeCell()
      const { clients, first, second, store } = await draining(cell, 1)
      const [client] = clients as [ResumingClient]
      client.send(...seqs(0, 5))
      await client.received(5)
      await client.handle.detach()
      client.forgetAfter(2)
      await first.drain()
      expect(await store.session(client.id)).toMatchObject({ gatewayId: null, workerId: second.id })
      const { resumed } = await client.resume(await cell.startGateway())
      expect(resumed).toMatchObject({ continuity: 'exact', after: 4 })
      client.send(5)
      await client.expectAll()
    })

    test('a parked session moves by its bytes', async () => {
      const { clients, first, second, store } = await draining(await makeCell(), 1, { parkAfterMs: 200 })
      const [client] = clients as [ResumingClient]
      client.send(...seqs(0, 30))
      await client.received(30)
      await eventually(async () => (await store.session(client.id))?.state).toBe('parked')
      await first.drain()
      expect(second.engine.sessions.size).toBe(1)
      client.send(30)
      await client.expectAll()
      expect(new Set(continuities(client))).toEqual(new Set(['exact']))
    })

    test.each([
      ['rebuilt', Infinity],
      ['new', 0]
    ] as const)(
      'a past that was lost, and is %s, is told so though the session moves first',
      async (what, keeps) => {
        const cell = await makeCell()
        const { clients, first, second } = await draining(cell, 1)
        const [client] = clients as [ResumingClient]
        client.keeps = keeps
        client.send(...seqs(0, 40))
        await client.received(40)
        first.kill()
        const { resumed } = await client.resume(await cell.startGateway())
        expect(resumed.continuity).toBe('new')
        await eventually(() => second.engine.sessions.get(client.id)?.untold).toBe(what)
        const third = new HashEngine()
        await cell.startWorker(third)
        await second.drain()
        expect(third.sessions.has(client.id)).toBe(true)
        client.send(40)
        await client.received(41)
        expect(client.witness()).toEqual([what])
      }
    )

    test('sessions go on where they are until there is a worker to take them', async () => {
      const cell = await makeCell()
      const engine = new HashEngine()
      const worker = await cell.startWorker(engine)
      const client = await ResumingClient.open(await cell.startGateway())
      const drained = worker.drain()
      client.send(...seqs(0, 10))
      await client.received(10)
      expect(engine.sessions.size).toBe(1)
      await cell.startWorker(new HashEngine())
      await drained
      client.send(10)
      await client.expectAll()
    })

    test('a gateway has a worker drained, and lists what it moved', async () => {
      const cell = await makeCell()
      const { clients, first, second } = await draining(cell, 2)
      const gateway = await cell.startGateway()
      await expect(gateway.drainWorker('other')).rejects.toMatchObject({
        code: 'WORKER_UNKNOWN',
        message: expect.stringContaining(`${first.id}, ${second.id}`)
      })
      await gateway.drainWorker(first.id)
      for (const client of clients) client.send(0)
      await eventually(() => gateway.workers()).toMatchObject([
        { id: first.id, draining: true, sessions: 0, moved: { sessions: 2 } },
        { id: second.id, draining: false, sessions: 2, moved: { sessions: 0, longestStallMs: 0 } }
      ])
      for (const client of clients) await client.expectAll()
    })

    test('a worker that joins gets its share: by itself above a threshold, and evenly when asked', async () => {
      const cell = await makeCell()
      const engine = new HashEngine(1000)
      await cell.startWorker(engine, { balanceAbove: 0.5 })
      const gateway = await cell.startGateway()
      const clients = await Promise.all(Array.from({ length: 8 }, () => ResumingClient.open(gateway)))
      for (const client of clients) client.send(0)
      await Promise.all(clients.map((client) => client.received(1)))
      await cell.startWorker(new HashEngine(1000), { balanceAbove: 0.5 })
      const shares = async () => (await gateway.workers()).map(({ sessions }) => sessions)
      await eventually(shares).toEqual([6, 2])
      for (const client of clients) client.send(1)
      const plan = await gateway.rebalancePlan()
      expect(plan.moves.map(({ from, to, bytes }) => ({ from, to, bytes }))).toEqual(
        Array(2).fill({ from: 'w1', to: 'w2', bytes: 100 })
      )
      expect(
        plan.workers.map(({ share, sessionsAfter, shareAfter }) => [share, sessionsAfter, shareAfter])
      ).toEqual([
        [0.6, 4, 0.4],
        [0.2, 4, 0.4]
      ])
      expect(await shares()).toEqual([6, 2])
      await gateway.rebalance()
      await eventually(shares).toEqual([4, 4])
      expect((await gateway.rebalancePlan()).moves).toEqual([])
      for (const client of clients) client.send(2)
      for (const client of clients) await client.expectAll()
      for (const client of clients)
        expect(continuities(client).filter((continuity) => continuity !== 'exact')).toEqual([])
    })

    test('a session that is closed while it moves is over on both', async () => {
      const { clients, first, second, store } = await draining(await makeCell(), 8)
      for (const client of clients) client.send(0)
      const drained = first.drain()
      for (const [i, client] of clients.entries()) {
        for (let pause = 0; pause < i; pause++) await new Promise((resolve) => setImmediate(resolve))
        await client.handle.close()
      }
      await drained
      await eventually(() => first.engine.sessions.size + second.engine.sessions.size).toBe(0)
      expect((await store.listSessions({ owner: null, cursor: null, limit: 10 })).sessions).toEqual([])
      for (const { reservedBytes } of (await store.workers()).live) expect(reservedBytes).toBe(0)
    })

    test('a move crosses resumes, whenever they come: nothing is lost, nothing runs twice', async () => {
      const cell = await makeCell()
      const gateways = [await cell.startGateway(), await cell.startGateway()]
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(6), { minLength: 2, maxLength: 5 }), async (pauses) => {
          const first = await cell.startWorker(new HashEngine())
          const client = await ResumingClient.open(gateways[0]!)
          const second = await cell.startWorker(new HashEngine())
          let seq = 0
          client.send(seq++)
          const drained = first.drain()
          for (const [turn, pause] of pauses.entries()) {
            for (let i = 0; i < 3; i++) client.send(seq++)
            for (let i = 0; i < pause; i++) await new Promise((resolve) => setImmediate(resolve))
            await client.resume(gateways[(turn + 1) % 2]!)
          }
          await drained
          client.send(seq++)
          await client.expectAll()
          await client.handle.close()
          await Promise.all([first.close(), second.close()])
        }),
        { numRuns: 10 }
      )
    })

    test('fifty sessions move at once, each with its own past', async () => {
      const { clients, first } = await draining(await makeCell(), 50)
      let seq = 0
      const turn = (): void => {
        for (const client of clients) client.send(seq)
        seq += 1
      }
      turn()
      const drained = first.drain()
      for (let i = 0; i < 20; i++) {
        turn()
        await Promise.all(clients.map((client) => client.received(seq - 5)))
      }
      await drained
      turn()
      for (const client of clients) await client.expectAll()
      for (const client of clients) expect(continuities(client)).toEqual(['exact'])
    })
  })
}
