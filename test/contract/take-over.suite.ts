import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ResumedSession } from '../../src/sessions/index.ts'
import { chained, emptyDigest, payloadDigest, shortDigest } from '../../src/wire/state-digest.ts'
import { EventLog } from '../helpers/event-log.ts'
import { outputOptions } from '../../src/wire/output.ts'
import { eventually } from '../helpers/eventually.ts'
import { testFrame } from '../helpers/hash-engine.ts'
import { ResumingClient } from '../helpers/resuming-client.ts'
import { nothingLeft } from './cell.ts'
import type { Cell } from './cell.ts'

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

    test('whoever takes a session over has it as it was last updated', async () => {
      const { addGateway, engine } = await makeCell()
      const client = await ResumingClient.open(await addGateway())
      client.send(0)
      client.handle.update({ id: 'a', output: outputOptions({ format: 'jpeg', quality: 7 }) })
      await client.log.until((events) => events.some(({ type }) => type === 'updated'))
      const { options } = await client.resume(await addGateway())
      expect(options.output).toMatchObject({ format: 'jpeg', quality: 7 })
      expect(engine.sessions.get(client.id)?.output).toEqual(options.output)
      client.send(1)
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
        if (tried.status === 'rejected')
          expect(tried.reason.code).toMatch(/^(STORE_UNAVAILABLE|SESSION_UNKNOWN)$/)
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
  })
}
