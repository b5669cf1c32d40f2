import { expect, test } from 'vitest'
import { connectStream, fetchTicket } from '../../src/client/index.ts'
import { asLeadlineError } from '../../src/errors.ts'
import { testApp } from '../helpers/build-app.ts'
import { addKey } from '../helpers/keys.ts'
import { connect, greyFrame, openStream } from '../helpers/stream-client.ts'

async function withKeys() {
  const service = await testApp({ config: { auth: 'keys' } })
  return { ...service, url: await service.listen() }
}

const offering = (ticket: string) => ({ protocols: [`leadline.ticket.${ticket}`] })

test('a ticket opens one stream, as that of its key, and no second one', async () => {
  const { app, keys, url } = await withKeys()
  const { value: key, headers } = await addKey(keys)
  const ticket = await fetchTicket({ url, key })
  const client = await openStream(url, { delivery: 'lossless' }, offering(ticket))
  expect(client.ws.protocol).toBe('leadline.v1')
  client.send(greyFrame(0))
  await client.expect('result')
  const listed = await app.inject({ url: '/v1/sessions', headers })
  expect(listed.json()).toMatchObject({ sessions: [{ id: client.ready.session }] })
  await expect(connect(url, offering(ticket))).rejects.toThrow(/401/)
})

test('the open stream of a ticket ends with the key', async () => {
  const { keys, url } = await withKeys()
  const { key, value } = await addKey(keys)
  const client = await openStream(url, {}, offering(await fetchTicket({ url, key: value })))
  await keys.revoke(key.id, Date.now())
  expect(await client.closed).toMatchObject({ code: 4501 })
})

test('a ticket of a key that was revoked meanwhile opens nothing', async () => {
  const { keys, url } = await withKeys()
  const { key, value } = await addKey(keys)
  const ticket = await fetchTicket({ url, key: value })
  const bystander = await openStream(url, {}, offering(await fetchTicket({ url, key: value })))
  await keys.revoke(key.id, Date.now())
  // By then the gateway has looked.
  await bystander.closed
  await expect(connect(url, offering(ticket))).rejects.toThrow(/401/)
})

test('a ticket opens streams alone: over plain HTTP it is nothing', async () => {
  const { app, keys, url } = await withKeys()
  const { value: key } = await addKey(keys, { scopes: ['admin'] })
  const ticket = await fetchTicket({ url, key })
  const headers = { 'sec-websocket-protocol': `leadline.v1, leadline.ticket.${ticket}` }
  expect((await app.inject({ url: '/v1/sessions', headers })).statusCode).toBe(401)
  const bearer = { authorization: `Bearer ${ticket}` }
  expect((await app.inject({ url: '/v1/sessions', headers: bearer })).statusCode).toBe(401)
  await openStream(url, {}, offering(ticket))
})

test('a key and a ticket at once are refused, and the ticket is still good', async () => {
  const { keys, url } = await withKeys()
  const { value: key, headers } = await addKey(keys)
  const ticket = await fetchTicket({ url, key })
  await expect(connect(url, { headers, ...offering(ticket) })).rejects.toThrow(/400/)
  await openStream(url, {}, offering(ticket))
})

test('a ticket is made for a key with scope stream alone, and is not to be stored on the way', async () => {
  const { app, keys, url } = await withKeys()
  const narrow = await addKey(keys, { scopes: ['clips'] })
  await expect(fetchTicket({ url, key: narrow.value })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(fetchTicket({ url, key: 'lk_none' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  const { headers } = await addKey(keys)
  const made = await app.inject({ method: 'POST', url: '/v1/tickets', headers })
  expect(made.statusCode).toBe(201)
  expect(made.headers['cache-control']).toBe('no-store')
  const { ticket } = made.json<{ ticket: string }>()
  expect(made.json()).toEqual({ ticket, protocol: `leadline.ticket.${ticket}`, expiresInMs: 30_000 })
})

test('a server that asks for no keys gives tickets too, and takes any', async () => {
  const { listen } = await testApp()
  const url = await listen()
  await openStream(url, {}, offering(await fetchTicket({ url, key: 'lk_none' })))
  await openStream(url, {}, offering('any'))
})

test('the SDK shows a key, or fetches a ticket for each connection', async () => {
  const { keys, url } = await withKeys()
  const { value: key } = await addKey(keys)
  const config = { delivery: 'lossless' } as const
  for (const credentials of [{ key }, async () => ({ ticket: await fetchTicket({ url, key }) })]) {
    const stream = await connectStream({ url, config, credentials })
    await stream.send({ data: greyFrame(0).slice(64), codec: 'rgb24', width: 56, height: 42 })
    expect(await stream.close()).toMatchObject({ results: 1 })
  }
  const refused = await connectStream({ url, config }).catch(asLeadlineError)
  expect(refused).toMatchObject({ code: 'UNAUTHENTICATED' })
})
