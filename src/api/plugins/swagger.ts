import fastifySwagger from '@fastify/swagger'
import type { FastifyContextConfig, FastifyInstance, FastifySchema } from 'fastify'
import { subprotocol, ticketPrefix } from '../../wire/control-text.ts'
import { apiVersion } from '../version.ts'
import { streamPath } from './websocket.ts'

/** Collects the route schemas into one OpenAPI document. @see https://github.com/fastify/fastify-swagger */
declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types of a body that is read as a stream or as bytes, so that no schema can check it; for OpenAPI only. */
    requestContent?: Record<string, { schema: object }>
  }
}

export async function describeRoutes(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Leadline',
        version: apiVersion,
        description:
          'Live video depth that you host yourself. Single images, clips and the state of the service go over HTTP; ' +
          'live video goes over the WebSocket of GET /v1/stream, whose messages PROTOCOL.md describes.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
      },
      servers: [{ url: 'http://127.0.0.1:8042', description: 'leadline serve, with its defaults' }],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description:
              'A key of this server, lk_…, made with "leadline keys create"; the scopes that an operation names are those ' +
              'that it must have. A server that asks for no keys ignores it. docs/keys.md'
          },
          ticket: {
            type: 'apiKey',
            in: 'header',
            name: 'Sec-WebSocket-Protocol',
            description: `${ticketPrefix} and a ticket of POST /v1/tickets, offered after ${subprotocol}: the way of a page`
          }
        }
      },
      tags: [
        { name: 'stream', description: 'Live video' },
        { name: 'sessions', description: 'Who is served' },
        { name: 'workers', description: 'Who serves, and who is to leave' },
        { name: 'images', description: 'One image at a time' },
        { name: 'clips', description: 'Whole videos' },
        { name: 'webhooks', description: 'Telling others how clips end' },
        { name: 'usage', description: 'What was used, by key and day' },
        { name: 'service', description: 'What the service is and how it does' }
      ]
    },
    transform: ({ schema, url, route }) => {
      const { requestContent: content, access } = route.config ?? {}
      const body = content === undefined ? {} : { body: { content } }
      return { url, schema: { ...named(schema), ...body, ...securityOf(access, url === streamPath) } }
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) }
  })
}

/** The plugin marks the ids of HEAD, in case that GET has the same; those that are shown here have no GET. */
function named(schema: FastifySchema): FastifySchema {
  const { operationId } = schema
  return operationId === undefined ? schema : { ...schema, operationId: operationId.replace(/-head$/, '') }
}

/** Of OpenAPI, 4.8.30: the names beside a bearer token are the scopes that it must have. */
function securityOf(
  access: FastifyContextConfig['access'],
  takesTickets: boolean
): { security?: Record<string, string[]>[] } {
  if (access === undefined || access === 'everybody') return {}
  const byKey = { key: access === 'anyKey' ? [] : [access] }
  return { security: takesTickets ? [byKey, { ticket: [] }] : [byKey] }
}
