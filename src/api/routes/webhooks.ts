import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Static } from 'typebox'
import Type from 'typebox'
import { ownerOf, reachOf } from '../../access/index.ts'
import type { DeadLetter, Webhooks } from '../../webhooks/index.ts'
import { overlapMs } from '../../webhooks/index.ts'
import { linksTo } from '../operation-links.ts'
import { guardedResponses } from '../problem.ts'

const letterSchema = Type.Object({
  id: Type.String({ description: 'As webhook-id: that of the clip' }),
  type: Type.String({ description: 'clip.done, clip.failed or clip.cancelled' }),
  url: Type.String(),
  timestamp: Type.String({ description: 'When the clip ended, ISO 8601' }),
  tries: Type.Integer(),
  reason: Type.String({ description: 'Why the last try failed' }),
  failedAt: Type.String({ format: 'date-time', description: 'When it was given up' })
})

/** What could not be delivered, and what deliveries are signed with. */
export const webhookRoutes: FastifyPluginAsyncTypebox<{ webhooks: Webhooks }> = async (app, { webhooks }) => {
  app.get(
    '/v1/webhooks',
    {
      config: { access: 'clips' },
      links: { 200: linksTo(['resendWebhook'], '/webhooks/0/id') },
      schema: {
        tags: ['webhooks'],
        operationId: 'listDeadWebhooks',
        summary: 'List the webhooks that were given up',
        description:
          'The last first, at most 1000. A key sees those of its clips, one with scope admin all. Without Redis the list goes ' +
          'with the server.',
        response: {
          200: { description: 'Those there are', ...Type.Object({ webhooks: Type.Array(letterSchema) }) },
          ...guardedResponses('STORE_UNAVAILABLE')
        }
      }
    },
    async ({ caller }) => ({ webhooks: (await webhooks.deadLetters(reachOf(caller))).map(shown) })
  )

  app.post(
    '/v1/webhooks/:id/resend',
    {
      config: { access: 'clips' },
      schema: {
        tags: ['webhooks'],
        operationId: 'resendWebhook',
        summary: 'Send a webhook again that was given up',
        description: 'With the same webhook-id, and as many tries as at first.',
        params: Type.Object({ id: Type.String({ format: 'uuid', description: 'As the list has it' }) }),
        response: {
          202: { description: 'It is on its way', ...Type.Null() },
          ...guardedResponses('REQUEST_INVALID', 'WEBHOOK_UNKNOWN', 'STORE_UNAVAILABLE')
        }
      }
    },
    async ({ caller, params }, reply) => {
      await webhooks.resend(params.id, reachOf(caller))
      return reply.code(202).send(null)
    }
  )

  app.post(
    '/v1/webhooks/secret',
    {
      config: { access: 'clips' },
      schema: {
        tags: ['webhooks'],
        operationId: 'createWebhookSecret',
        summary: 'Make the secret that webhooks are signed with',
        description:
          'Of the key that asks, for all its clips; it is shown this once. Made anew, the one before it signs beside it for a ' +
          'day, so that receivers have time to change.',
        response: {
          201: {
            description: 'The secret',
            ...Type.Object({
              secret: Type.String({ description: 'whsec_ and base64, as Standard Webhooks has it' }),
              overlapMs: Type.Integer({ description: 'How long the one before signs beside it' })
            })
          },
          ...guardedResponses('STORAGE_FULL', 'STORAGE_UNUSABLE', 'STORE_UNAVAILABLE')
        }
      }
    },
    async ({ caller }, reply) => {
      const secret = await webhooks.newSecret(ownerOf(caller))
      reply.code(201).header('cache-control', 'no-store')
      return { secret, overlapMs }
    }
  )
}

function shown({ delivery, tries, reason, failedAtMs }: DeadLetter): Static<typeof letterSchema> {
  const { id, type, url, timestamp } = delivery
  return { id, type, url, timestamp, tries, reason, failedAt: new Date(failedAtMs).toISOString() }
}
