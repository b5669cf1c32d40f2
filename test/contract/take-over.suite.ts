import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ResumedSession, Sessions } from '../../src/sessions/index.ts'
import { asLeadlineError } from '../../src/errors.ts'
import type { LeadlineError } from '../../src/errors.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { chained, emptyDigest, payloadDigest, shortDigest } from '../../src/state-digest.ts'
import { EventLog } from '../helpers/event-log.ts'
import { eventually } from '../helpers/eventually.ts'
import { hashOptions, testFrame } from '../helpers/hash-engine.ts'
import type { HashEngine } from '../helpers/hash-engine.ts'
import type { Leftovers } from '../helpers/redis-leftovers.ts'
import { ResumingClient } from '../helpers/resuming-client.ts'

export interface CellGateway extends Sessions {
  /** As if it were killed: it says and hears nothing any more. */
  vanish(): void
}

/** One worker and any number of gateways. Whoever makes it closes it. */
export interface Cell {
  engine: HashEngine
  store: SessionStore
  addGateway(options?: { graceMs?: number }): Promise<CellGateway>
  /** What is left although nobody will take it away. */
  leftovers(): Promise<Leftovers>
}

const nothingLeft: Leftovers = { immortal: [], unaccounted: {}, ofSessions: [] }

/** What every way from gateways to workers promises of sessions that go on through another gateway. */
export function takeOverSuite(name: string, makeCell: () => Promise<Cell>): void {
  describe(`taking sessions over, ${name}`, () => {
    test('a session goes on through another gateway: what was missed first, then what is new', async () => {
      const { addGateway, engine } = await makeCell()
      const client = await ResumingClient.open(await addGateway())
      client.send(0, 1, 2)
      await client.received(1)
      engine.hold()
      client.send(3, 4)
      await eventually(() => engine.sessions.get(client.id)?.waiting.length).toBe(2)
      client.forgetAfter(0)
      const { resumed } = await client.resume(await addGateway())
      expect(resumed).toMatchObject({ continuity: 'exact', after: 4, unsettled: [1, 2, 3, 4] })
      await client.received(3)
      engine.resume()
      client.send(5)
      await client.expectAll()
    })

    test('the former gateway is told, and what it says late changes nothing', async () => {
      const { addGateway } = await makeCell()
      const client = await ResumingClient.open(await addGateway())
      client.send(0)
      await client.received(1)
      const former = client.former()
      await client.resume(await addGateway())
      expect(await former.log.ended()).toMatchObject([{ seq: 0 }, { seq: null, code: 'SESSION_REPLACED' }])
      former.handle.submit(testFrame(1, Buffer.from('late')))
      former.handle.reset()
      await former.handle.close()
      client.send(1, 2)
      await client.expectAll()
    })

    test('a gateway can take a session from itself', async () => {
      const { addGateway } = await makeCell()
      const gateway = await addGateway()
      const client = await ResumingClient.open(gateway)
      client.send(0, 1)
      const former = client.former()
      await client.resume(gateway)
      expect((await former.log.ended()).at(-1)).toMatchObject({ code: 'SESSION_REPLACED' })
      client.send(2)
      await client.expectAll()
    })

    test('a resume crosses frames and results, whenever it comes: none is lost, none runs twice', async () => {
      const { addGateway } = await makeCell()
      const gateways = [await addGateway(), await addGateway(), await addGateway()]
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }), async (pauses) => {
          const client = await ResumingClient.open(gateways[0]!)
          let seq = 0
          for (const [turn, pause] of pauses.entries()) {
            for (let i = 0; i < 4; i++) client.send(seq++)
            // Somewhere between the frames that are on their way and the results that come back.
            for (let i = 0; i < pause; i++) await new Promise((resolve) => setImmediate(resolve))
            client.ack()
            await client.resume(gateways[(turn + 1) % 3]!)
          }
          client.send(seq++)
          await client.expectAll()
          await client.handle.close()
        }),
        { numRuns: 30 }
      )
    })

    test('of two gateways that take a session at once one has it, and the other is told', async () => {
      const { addGateway } = await makeCell()
      const client = await ResumingClient.open(await addGateway())
      const others = [await addGateway(), await addGateway()]
      client.send(0)
      await client.received(1)
      const position = client.position
      const logs = [new EventLog(), new EventLog()]
      const tries = await Promise.allSettled(
        others.map((gateway, i) => gateway.resume(position, logs[i]!.push))
      )
      for (const tried of tries)
        if (tried.status === 'rejected') expect(tried.reason.code).toMatch(/^SESSION_(REPLACED|UNKNOWN)$/)
      const isOver = (log: EventLog) => log.all.some((e) => e.type === 'error' && e.seq === null)
      // The one that was overtaken is told in time, whether it had the session for a moment or not.
      await eventually(
        () => tries.filter((tried, i) => tried.status === 'fulfilled' && !isOver(logs[i]!)).length
      ).toBe(1)
      const winner = tries.findIndex((tried, i) => tried.status === 'fulfilled' && !isOver(logs[i]!))
      const { value } = tries[winner] as PromiseFulfilledResult<ResumedSession>
      client.forgetAfter(0)
      client.goOn(value, logs[winner]!)
      client.send(1)
      await client.expectAll()
    })

    test('a token that was lost on its way costs nothing, and one that was used ends the one before', async () => {
      const { addGateway } = await makeCell()
      const gateway = await addGateway()
      const client = await ResumingClient.open(gateway)
      client.send(0)
      await client.received(1)
      const old = client.position
      await gateway.resume(old, () => {})
      await client.resume(await addGateway(), old)
      client.send(1)
      await client.received(2)
      await eventually(() =>
        gateway
          .resume({ ...old, seq: 1 }, () => {})
          .then(
            () => 'resumed',
            (error) => error.code
          )
      ).toBe('SESSION_UNKNOWN')
      client.send(2)
      await client.expectAll()
    })

    test('frames that the worker is busy with are not asked for again', async () => {
      const { addGateway, engine } = await makeCell()
      const client = await ResumingClient.open(await addGateway())
      engine.hold()
      client.send(0, 1, 2)
      await eventually(() => engine.sessions.get(client.id)?.waiting.length).toBe(3)
      const { resumed } = await client.resume(await addGateway())
      expect(resumed).toMatchObject({ after: 2, unsettled: [0, 1, 2] })
      engine.resume()
      await client.expectAll()
    })

    test('frames that a gateway ended itself keep their outcome and their place', async () => {
      const { addGateway, engine } = await makeCell()
      const client = await ResumingClient.open(await addGateway())
      engine.hold()
      client.send(0)
      client.settle(1)
      client.send(2)
      await eventually(() => engine.sessions.get(client.id)?.waiting.length).toBe(2)
      const { resumed } = await client.resume(await addGateway())
      expect(resumed).toMatchObject({ after: 2, unsettled: [0, 1, 2] })
      engine.resume()
      await client.expectAll()
    })

    test('whoever takes a session over is told what its latent cache has seen', async () => {
      const { addGateway } = await makeCell()
      const client = await ResumingClient.open(await addGateway())
      const digestAfter = (...seqs: number[]) =>
        shortDigest(
          seqs.reduce((digest, seq) => {
            return chained(digest, seq, payloadDigest(Buffer.from(`${client.id}:${seq}`)))
          }, emptyDigest)
        )
      client.send(0, 1)
      await client.received(2)
      const first = await client.resume(await addGateway())
      expect(first.resumed).toMatchObject({ epoch: 0, seq: 1, digest: digestAfter(0, 1) })
      client.handle.reset()
      client.send(2)
      await client.received(3)
      const second = await client.resume(await addGateway())
      expect(second.resumed).toMatchObject({ epoch: 1, seq: 2, digest: digestAfter(2) })
    })

    test('a session that was left waits for its client with what it owes', async () => {
      const { addGateway, store } = await makeCell()
      const gateway = await addGateway()
      const client = await ResumingClient.open(gateway)
      expect(client.handle.graceMs).toBeGreaterThan(0)
      client.send(0, 1, 2)
      await client.handle.detach()
      expect(await store.session(client.id)).toMatchObject({ state: 'detached', gatewayId: null })
      await client.resume(await addGateway())
      client.send(3)
      await client.expectAll()
    })

    test('a gateway that closes leaves its sessions to others', async () => {
      const { addGateway } = await makeCell()
      const gateway = await addGateway()
      const client = await ResumingClient.open(gateway)
      client.send(0, 1, 2)
      await client.received(1)
      await gateway.close()
      await client.resume(await addGateway())
      client.send(3)
      await client.expectAll()
    })

    test('sessions of a gateway that is killed wait for their clients', async () => {
      const { addGateway, store } = await makeCell()
      const gateway = await addGateway()
      const client = await ResumingClient.open(gateway)
      client.send(0, 1, 2)
      await client.received(2)
      gateway.vanish()
      await eventually(async () => (await store.session(client.id))?.state).toBe('detached')
      await client.resume(await addGateway())
      client.send(3)
      await client.expectAll()
    })

    test('a gateway that is killed after it took a session and before its worker heard costs nothing', async () => {
      const { addGateway, store } = await makeCell()
      const gateway = await addGateway()
      const client = await ResumingClient.open(gateway)
      client.send(0)
      await client.received(1)
      const tokenHash = (await store.session(client.id))?.tokenHash ?? ''
      const taken = await store.takeSession({
        ...{ id: client.id, owner: null, tokenHash, newTokenHash: 'f'.repeat(64), gatewayId: 'killed' }
      })
      expect(taken.kind).toBe('taken')
      expect((await client.log.ended()).at(-1)).toMatchObject({ seq: null, code: 'SESSION_REPLACED' })
      await eventually(async () => (await store.session(client.id))?.state).toBe('detached')
      await client.resume(gateway)
      client.send(1)
      await client.expectAll()
    })

    test('when its grace is over a session is closed, with every gateway dead', async () => {
      const { addGateway, engine, leftovers } = await makeCell()
      const gateway = await addGateway({ graceMs: 1500 })
      const client = await ResumingClient.open(gateway)
      client.send(0)
      await client.received(1)
      gateway.vanish()
      await eventually(() => engine.sessions.size).toBe(0)
      await eventually(leftovers).toEqual(nothingLeft)
      await expect((await addGateway()).resume(client.position, () => {})).rejects.toMatchObject({
        code: 'SESSION_UNKNOWN'
      })
    })

    test('a resume crosses the end of the grace: the session goes on whole or is over, and nothing stays', async () => {
      const { addGateway, engine, leftovers } = await makeCell()
      const gateway = await addGateway({ graceMs: 700 })
      const clients = await Promise.all(Array.from({ length: 12 }, () => ResumingClient.open(gateway)))
      for (const client of clients) client.send(0, 1)
      await Promise.all(clients.map((client) => client.received(2)))
      await Promise.all(clients.map((client) => client.handle.detach()))
      const fates = await Promise.all(
        clients.map(async (client, i) => {
          await new Promise((resolve) => setTimeout(resolve, 500 + i * 110))
          const fate = await client.resume(gateway).then(
            () => 'resumed',
            (error) => error.code
          )
          expect(fate).toMatch(/^(resumed|SESSION_UNKNOWN)$/)
          if (fate !== 'resumed') return 0
          client.send(2)
          await client.expectAll()
          await client.handle.close()
          return 1
        })
      )
      expect(fates.length).toBe(12)
      await eventually(() => engine.sessions.size).toBe(0)
      await eventually(leftovers).toEqual(nothingLeft)
    })

    test('a close crosses a resume: the session is over, and nothing of it stays', async () => {
      const { addGateway, engine, leftovers } = await makeCell()
      const gateways = [await addGateway(), await addGateway()] as const
      for (let round = 0; round < 10; round++) {
        const client = await ResumingClient.open(gateways[0])
        client.send(0)
        await client.received(1)
        const former = client.former()
        const [, resumed] = await Promise.allSettled([former.handle.close(), client.resume(gateways[1])])
        if (resumed.status === 'rejected') expect(resumed.reason.code).toBe('SESSION_UNKNOWN')
        else await client.handle.close()
      }
      await eventually(() => engine.sessions.size).toBe(0)
      await eventually(leftovers).toEqual(nothingLeft)
    })

    test('a session of which the client never said that it comes back is over with its gateway', async () => {
      const { addGateway, engine } = await makeCell()
      const gateway = await addGateway()
      const handle = await gateway.open(hashOptions, () => {})
      expect(handle.graceMs).toBe(0)
      const position = { session: handle.id, token: handle.resumeToken, epoch: 0, seq: -1 }
      await expect(gateway.resume(position, () => {})).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
      await handle.detach()
      expect(engine.sessions.size).toBe(0)
    })

    test('a wrong token opens nothing, and takes nothing from whoever has the right one', async () => {
      const { addGateway } = await makeCell()
      const client = await ResumingClient.open(await addGateway())
      const other = await addGateway()
      const wrong = { ...client.position, token: 'wrong' }
      await expect(other.resume(wrong, () => {})).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
      client.send(0)
      await client.expectAll()
    })

    test('after a thousand take-overs nothing stays that nobody takes away', async () => {
      const { addGateway, leftovers } = await makeCell()
      const gateways = [await addGateway(), await addGateway()] as const
      const clients = await Promise.all(Array.from({ length: 20 }, () => ResumingClient.open(gateways[0])))
      for (let turn = 1; turn <= 50; turn++) {
        await Promise.all(
          clients.map(async (client) => {
            client.send(turn)
            client.ack()
            await client.resume(gateways[turn % 2]!)
          })
        )
      }
      for (const client of clients) {
        await client.expectAll()
        await client.handle.close()
      }
      await eventually(leftovers).toEqual(nothingLeft)
    })

    test('any gateway lists the sessions of all, page by page, without their secrets', async () => {
      const { addGateway } = await makeCell()
      const gateways = [await addGateway(), await addGateway()]
      const clients = await Promise.all([0, 1, 2].map((i) => ResumingClient.open(gateways[i % 2]!)))
      const lists = gateways[1]!
      const first = await lists.list({ owner: null, cursor: null, limit: 2 })
      const last = await lists.list({ owner: null, cursor: first.cursor, limit: 2 })
      const all = [...first.sessions, ...last.sessions]
      expect(all.map(({ id }) => id)).toEqual(clients.map(({ id }) => id).sort())
      expect([first.sessions.length, last.cursor]).toEqual([2, null])
      for (const one of all) {
        expect(one).toMatchObject({ state: 'attached', model: 'hash', mode: 'ovda', deviceBytes: 100 })
        expect(Object.keys(one).filter((key) => /hash|token/i.test(key))).toEqual([])
      }
    })

    test('any gateway ends a session: its owner is told, its frames are settled, nobody gets it back', async () => {
      const { addGateway, engine, leftovers } = await makeCell()
      const [owner, other] = [await addGateway(), await addGateway()]
      const client = await ResumingClient.open(owner)
      client.send(0)
      await client.received(1)
      engine.hold()
      client.send(1)
      await eventually(() => engine.sessions.get(client.id)?.waiting.length).toBe(1)
      await other.end(client.id, null)
      expect(await client.log.ended()).toMatchObject([
        { type: 'result', seq: 0 },
        { type: 'drop', seq: 1 },
        { type: 'error', seq: null, code: 'SESSION_ENDED' }
      ])
      const unknown = { code: 'SESSION_UNKNOWN' }
      await expect(other.resume(client.position, () => {})).rejects.toMatchObject(unknown)
      await eventually(leftovers).toEqual(nothingLeft)
      await expect(other.end(client.id, null)).rejects.toMatchObject(unknown)
    })

    test('whoever shows another owner than a session’s cannot tell it from one that is not there', async () => {
      const { addGateway } = await makeCell()
      const gateways = [await addGateway(), await addGateway()]
      const client = await ResumingClient.open(gateways[0]!, 'mine')
      const stranger = gateways[1]!
      const refusals = await Promise.all(
        [client.id, 's_none'].flatMap((session) => [
          failureOf(stranger.resume({ ...client.position, session, owner: 'theirs' }, () => {})),
          failureOf(stranger.end(session, 'theirs'))
        ])
      )
      const texts = refusals.map(({ message }) => message.replace(client.id, 's_none'))
      expect(refusals.map(({ code }) => code)).toEqual(Array(4).fill('SESSION_UNKNOWN'))
      expect(texts.slice(0, 2)).toEqual(texts.slice(2))
      const idsOf = async (owner: string | null) =>
        (await stranger.list({ owner, cursor: null, limit: 9 })).sessions.map(({ id }) => id)
      expect([await idsOf('theirs'), await idsOf('mine'), await idsOf(null)]).toEqual([
        [],
        [client.id],
        [client.id]
      ])
      await client.resume(stranger, { ...client.position, owner: 'mine' })
      client.send(0)
      await client.expectAll()
      await gateways[0]!.end(client.id, 'mine')
      expect((await client.log.ended()).at(-1)).toMatchObject({ code: 'SESSION_ENDED' })
    })

    test('a session that nobody holds is ended as well', async () => {
      const { addGateway, leftovers } = await makeCell()
      const [owner, other] = [await addGateway(), await addGateway()]
      const client = await ResumingClient.open(owner)
      await client.handle.detach()
      await other.end(client.id, null)
      await eventually(leftovers).toEqual(nothingLeft)
    })
  })
}

async function failureOf(refused: Promise<unknown>): Promise<LeadlineError> {
  return refused.then(() => expect.fail('it was not refused'), asLeadlineError)
}
