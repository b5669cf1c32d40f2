import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { Webhook } from 'standardwebhooks'
import type { Delivery, OpenedWebhooks } from '../../src/webhooks/index.ts'
import { eventually } from '../helpers/eventually.ts'
import { outside, receiver } from '../helpers/webhook-receiver.ts'

export interface WebhookPace {
  delaysMs: readonly number[]
  timeoutMs: number
  webhookNetworks: readonly string[]
}

const pace: WebhookPace = { delaysMs: [1, 1, 1], timeoutMs: 20_000, webhookNetworks: [outside] }

const delivery = (fields: Partial<Delivery>): Delivery => ({
  ...{ id: randomUUID(), owner: 'mine', url: '', type: 'clip.done' },
  ...{ timestamp: '2026-01-01T00:00:00.000Z', data: { state: 'done' } },
  ...fields
})

/** What webhooks must do, wherever they are queued. `open` gives empty ones. */
export function webhooksSuite(open: (pace: WebhookPace) => Promise<OpenedWebhooks>): void {
  async function opened(own: Partial<WebhookPace> = {}) {
    const { webhooks, close } = await open({ ...pace, ...own })
    onTestFinished(close)
    const secret = await webhooks.newSecret('mine')
    const safe: string[] = []
    const add = async (fields: Partial<Delivery>) => {
      const one = delivery(fields)
      await webhooks.add(one, async () => void safe.push(one.id))
      return one
    }
    return { webhooks, secret, safe, add }
  }
  const dead = (webhooks: OpenedWebhooks['webhooks']) => webhooks.deadLetters(null)

  test('a delivery comes once, thin, with a signature that another library verifies', async () => {
    const { webhooks, secret, safe, add } = await opened()
    const { url, received } = await receiver()
    const { id } = await add({ url })
    await eventually(() => received.length).toBe(1)
    const [{ headers, body }] = received as [(typeof received)[0]]
    expect(headers).toMatchObject({ 'webhook-id': id, 'content-type': 'application/json' })
    expect(new Webhook(secret).verify(body, headers)).toEqual({
      ...{ type: 'clip.done', timestamp: '2026-01-01T00:00:00.000Z', data: { state: 'done' } }
    })
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow(/signature/)
    await eventually(() => safe).toEqual([id])
    expect(await dead(webhooks)).toEqual([])
  })

  test('while secrets change, both sign', async () => {
    const { webhooks, secret, add } = await opened()
    const newer = await webhooks.newSecret('mine')
    const foreign = await webhooks.newSecret('another')
    const { url, received } = await receiver()
    await add({ url })
    await eventually(() => received.length).toBe(1)
    const [{ headers, body }] = received as [(typeof received)[0]]
    for (const one of [secret, newer]) expect(new Webhook(one).verify(body, headers)).toBeTruthy()
    expect(() => new Webhook(foreign).verify(body, headers)).toThrow(/signature/)
  })

  test('a receiver that fails at first is asked again, under the same id', async () => {
    const { webhooks, add } = await opened()
    const { url, received } = await receiver((response, count) =>
      response.writeHead(count < 3 ? 500 : 200).end()
    )
    const { id } = await add({ url })
    await eventually(() => received.map(({ headers }) => headers['webhook-id'])).toEqual([id, id, id])
    expect(await dead(webhooks)).toEqual([])
  })

  test('one that fails always becomes a dead letter, which can be sent again by its owner', async () => {
    const { webhooks, safe, add } = await opened()
    let status = 503
    const { url, received } = await receiver((response) => response.writeHead(status).end())
    const { id } = await add({ url })
    await eventually(() => dead(webhooks)).toMatchObject([
      { delivery: { id, url }, tries: 4, reason: 'it answered 503' }
    ])
    await eventually(() => safe).toEqual([id])
    expect(await webhooks.deadLetters('another')).toEqual([])
    await expect(webhooks.resend(id, 'another')).rejects.toMatchObject({ code: 'WEBHOOK_UNKNOWN' })
    status = 200
    await webhooks.resend(id, 'mine')
    await eventually(() => received.length).toBe(5)
    await eventually(() => dead(webhooks)).toEqual([])
    await expect(webhooks.resend(id, 'mine')).rejects.toMatchObject({ code: 'WEBHOOK_UNKNOWN' })
  })

  test('one that does not answer in time has failed', async () => {
    const { webhooks, add } = await opened({ timeoutMs: 200, delaysMs: [1] })
    const { url } = await receiver(() => undefined)
    await add({ url })
    await eventually(() => dead(webhooks)).toMatchObject([{ tries: 2, reason: 'no answer within 200 ms' }])
  })

  test('of an answer only the head is waited for', async () => {
    const { safe, add } = await opened()
    const { url } = await receiver((response) => {
      const pour = (): void => void response.write(Buffer.alloc(65_536), (error) => error ?? pour())
      response.writeHead(200)
      pour()
    })
    const { id } = await add({ url })
    await eventually(() => safe).toEqual([id])
  })

  test('410 says that nothing more is wanted', async () => {
    const { webhooks, add } = await opened()
    const { url, received } = await receiver((response) => response.writeHead(410).end())
    await add({ url })
    await eventually(() => dead(webhooks)).toMatchObject([{ tries: 1, reason: 'it answered 410' }])
    expect(received.length).toBe(1)
  })

  test.each([
    ['loopback', (port: number) => `http://127.0.0.1:${port}/`],
    ['a name that leads to it', (port: number) => `http://localhost:${port}/`],
    ['it as IPv6', (port: number) => `http://[::ffff:127.0.0.1]:${port}/`],
    ['metadata of a cloud', () => 'http://169.254.169.254/latest/meta-data/'],
    ['a private network', () => 'http://10.0.0.1/']
  ])('%s is never asked, neither at first nor after a redirect', async (_, address) => {
    const { webhooks, add } = await opened({ delaysMs: [1] })
    const inside = await receiver()
    const location = address(inside.port)
    const sender = await receiver((response) => response.writeHead(307, { location }).end())
    const direct = await add({ url: location })
    const sentOn = await add({ url: sender.url })
    await eventually(async () =>
      (await dead(webhooks)).map((one) => [one.delivery.id, one.tries, one.reason]).sort()
    ).toEqual(
      [
        [direct.id, 1, 'the address leads into a network that is not public'],
        [sentOn.id, 2, 'it answered 307; redirects are not followed']
      ].sort()
    )
    expect(sender.received.length).toBe(2)
    expect(inside.received).toEqual([])
  })

  test('one whose owner has no secret is not sent unsigned', async () => {
    const { webhooks, add } = await opened()
    const { url, received } = await receiver()
    await add({ url, owner: 'nobody' })
    await eventually(() => dead(webhooks)).toMatchObject([
      { tries: 1, reason: 'its owner has no secret to sign with' }
    ])
    expect(received).toEqual([])
  })

  test('what is on its way is there once, however often it is added', async () => {
    const { webhooks, add } = await opened()
    const { url, received } = await receiver((response) => response.writeHead(410).end())
    const { id } = await add({ url })
    await add({ id, url })
    await eventually(async () => (await dead(webhooks)).length).toBe(1)
    await add({ id, url })
    expect(received.length).toBe(1)
  })
}
