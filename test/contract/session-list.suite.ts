import { describe, expect, test } from 'vitest'
import { asLeadlineError } from '../../src/errors.ts'
import type { LeadlineError } from '../../src/errors.ts'
import { eventually } from '../helpers/eventually.ts'
import { ResumingClient } from '../helpers/resuming-client.ts'
import { nothingLeft } from './cell.ts'
import type { Cell } from './cell.ts'

/** Who sees sessions, and who ends them. */
export function sessionListSuite(name: string, makeCell: () => Promise<Cell>): void {
  describe(`sessions as any gateway sees them, ${name}`, () => {
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
