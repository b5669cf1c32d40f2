import { describe, expect, test } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { hashOptions } from '../helpers/hash-engine.ts'
import { ResumingClient } from '../helpers/resuming-client.ts'
import { nothingLeft } from './cell.ts'
import type { Cell } from './cell.ts'

/** What it promises of sessions that a gateway leaves, by itself or with its end. */
export function leftSessionSuite(name: string, makeCell: () => Promise<Cell>): void {
  describe(`sessions that are left, ${name}`, () => {
    test('a session that was left waits for its client with what it owes', async () => {
      const { addGateway, store } = await makeCell()
      const gateway = await addGateway()
      const client = await ResumingClient.open(gateway)
      expect(client.handle.graceMs).toBeGreaterThan(0)
      client.send(0, 1, 2)
      await client.handle.detach()
      expect(await store.session(client.id)).toMatchObject({ gatewayId: null })
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
      await eventually(async () => (await store.session(client.id))?.gatewayId).toBe(null)
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
      await eventually(async () => (await store.session(client.id))?.gatewayId).toBe(null)
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
  })
}
