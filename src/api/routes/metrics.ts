import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Registry } from 'prom-client'
import { guardedResponses } from '../problem.ts'

export const metricsRoute: FastifyPluginAsyncTypebox<{ metrics: Registry }> = async (app, { metrics }) => {
  app.get(
    '/metrics',
    {
      config: { access: 'metrics' },
      logLevel: 'warn',
      schema: {
        tags: ['service'],
        operationId: 'getMetrics',
        summary: 'Figures for Prometheus',
        description:
          'Of this process alone: docs/operating.md says which metrics a gateway and a worker have. Workers have a port of ' +
          'their own, LEADLINE_METRICS_PORT.',
        response: {
          200: {
            description: 'In Prometheus’ text format',
            content: { 'text/plain': { schema: Type.String() } }
          },
          ...guardedResponses('STORE_UNAVAILABLE')
        }
      }
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.metrics())
  )
}
