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
          'Steps, batches, memory and bytes moved of the engine in this process, and the process itself. A gateway ' +
          'without an engine has the latter alone; its workers have a port of their own, LEADLINE_METRICS_PORT.',
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
