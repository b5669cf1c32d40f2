import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Access } from '../../access/index.ts'
import { openerOf } from '../../access/index.ts'
import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import { subprotocol, ticketPrefix } from '../../wire/control-text.ts'
import type { Failures } from '../failures.ts'
import type { Addresses } from '../plugins/addresses.ts'
import { streamPath } from '../plugins/websocket.ts'
import { offeredSubprotocols } from '../offered-subprotocols.ts'
import { guardedResponses } from '../problem.ts'
import { tenantOf } from '../../metering/measures.ts'
import { Backlogs } from '../stream/backlogs.ts'
import { ContextRoom } from '../stream/context-arrival.ts'
import type { SessionQuota } from '../session-quota.ts'
import type { OpenStreams } from '../stream/open-streams.ts'
import type { StreamMeter } from '../stream/stream-meter.ts'
import { toldSessions } from '../stream/told-sessions.ts'
import { attachStream } from '../stream/ws-stream.ts'

export interface StreamRouteOptions {
  access: Access
  addresses: Addresses
  config: Config
  quota: SessionQuota
  failures: Failures
  streams: OpenStreams
  meter: StreamMeter
}

export const streamRoute: FastifyPluginAsyncTypebox<StreamRouteOptions> = async (app, options) => {
  const { access, addresses, config, failures, meter, quota, streams } = options
  const contexts = new ContextRoom(config.maxContextBytes)
  const backlogs = new Backlogs(config.maxUnreadBytes)
  app.route({
    method: 'GET',
    url: streamPath,
    config: { access: 'stream' },
    schema: {
      tags: ['stream'],
      operationId: 'openStream',
      summary: 'Stream live video (WebSocket)',
      description: `A WebSocket with subprotocol ${subprotocol}. PROTOCOL.md describes its messages.`,
      response: {
        101: { description: `Upgraded to a WebSocket that speaks ${subprotocol}`, ...Type.Null() },
        ...guardedResponses('REQUEST_INVALID', 'UPGRADE_REQUIRED', 'STORE_UNAVAILABLE')
      }
    },
    onRequest: async (request, reply) => requireUpgrade(request, reply),
    handler: () => undefined,
    wsHandler: (ws, request) => {
      const flow = access.frameFlow(request.caller)
      const opener = openerOf(request.caller, request.ip)
      const stream = attachStream(ws, request.raw.socket, {
        keepAliveMs: config.keepAliveMs,
        onConfig: () => addresses.prove(request.raw.socket),
        sessions: toldSessions(quota.of(request.caller), request.log),
        opener,
        openBacklog: (onExcess) => backlogs.open(tenantOf({ ...opener, isClip: false }), onExcess),
        flow,
        failures,
        meter,
        limits: config,
        contexts,
        defaultModel: config.defaultModel,
        log: request.log
      })
      streams.add(stream)
      const letGo = access.hold(request.caller, (reason) => void stream.end(reason))
      void stream.ended.then(() => {
        letGo()
        flow?.end()
        streams.remove(stream)
      })
    }
  })
}

/** Refuse before the upgrade: a browser shows the status of a failed handshake, and hides an early close. */
function requireUpgrade({ ws, headers }: FastifyRequest, reply: FastifyReply): void {
  const connect = `connect to ${streamPath} as a WebSocket, with subprotocol "${subprotocol}"`
  const version = headers['sec-websocket-version']
  if (!ws || (version !== undefined && version !== '13')) {
    // Said by hand, it must say as well what Node would have said by itself.
    const ends = /\bclose\b/i.test(headers.connection ?? '')
    reply.headers({
      connection: ends ? 'upgrade, close' : 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13'
    })
    const got = ws
      ? `WebSocket version ${version} is not 13`
      : 'This is a plain request; if a WebSocket was meant, something in front of the server does not pass it on (docs/proxies.md)'
    throw new LeadlineError('UPGRADE_REQUIRED', `${got}; ${connect}`)
  }
  const names = offeredSubprotocols(headers)
  if (names.includes(subprotocol)) return
  const got =
    names.length === 0 ? 'none' : `"${names.filter((name) => !name.startsWith(ticketPrefix)).join(', ')}"`
  throw new LeadlineError(
    'REQUEST_INVALID',
    `The subprotocol must be "${subprotocol}"; the client offered ${got}`
  )
}
