import type { TSchema } from 'typebox'
import { stringify } from 'yaml'
import { subprotocol, ticketPrefix } from '../../wire/control-text.ts'
import { errorTitles } from '../../error-titles.ts'
import { errorCodes, errorDefinition } from '../../errors.ts'
import { codecs, dtypes, flags, headerBytes, kinds, quantities } from '../../wire/frame.ts'
import { clientSchemas, serverSchemas } from '../../wire/protocol.ts'
import { streamPath } from '../plugins/websocket.ts'
import { apiVersion } from '../version.ts'

/** What each message is for, in a line; PROTOCOL.md has the rest. */
const clientSays: Record<keyof typeof clientSchemas, string> = {
  config: 'Opens a session, or takes one up again; first, and once',
  credit: 'So many depth maps more may be sent',
  ack: 'Every outcome through this frame was received',
  flush: 'Answer once every frame before this has its outcome',
  reset: 'Forget the past: what follows is another video',
  update: 'Hand depth maps out in another way, from the next frame on',
  checkpoint: 'Save what the session remembers',
  ping: 'Answer at once',
  replayed: 'That was what is left of the past',
  detach: 'The client leaves, and will be back',
  close: 'No more frames come'
}
const serverSays: Record<keyof typeof serverSchemas, string> = {
  ready: 'The session has its memory; frames may come',
  reset: 'A new epoch begins',
  recovered: 'The latent cache was lost or left, and this is what is left of the past',
  drop: 'The outcome of a frame that has no depth map',
  flushed: 'Every frame before the flush has its outcome',
  updated: 'Every frame before the update has its outcome; those behind it come as wished',
  checkpoint: 'A context follows in binary messages, or what became of it',
  pong: 'The answer to a ping',
  notice: 'The session is about to be parked',
  parked: 'The session was parked: its latent cache has left the device',
  advice: 'How fast frames may come, before any has to be dropped; of adaptive delivery',
  goAway: 'This server is about to leave; resume elsewhere',
  detached: 'The session is kept for so long; the close follows',
  error: 'The outcome of a frame that failed, or, without seq, the end of the stream',
  summary: 'All is done; the close follows'
}

const binary = { contentType: 'application/octet-stream', payload: { type: 'string', format: 'binary' } }
const binaryMessages = {
  frame: { ...binary, title: 'frame', summary: 'One picture of the video, behind a header of kind 1' },
  depth: {
    ...binary,
    title: 'depth map',
    summary: 'The outcome of the frame with the same seq, behind a header of kind 2'
  },
  context: {
    ...binary,
    title: 'context',
    summary: 'A part of what a session remembers, behind a header of kind 3'
  }
}

/** `/v1/stream` as AsyncAPI 3.0, in YAML, from the schemas that the server checks by. */
export function asyncapiDocument(): string {
  const client = { ...controls('client', clientSchemas, clientSays), ...pick(['frame', 'context']) }
  const server = { ...controls('server', serverSchemas, serverSays), ...pick(['depth', 'context']) }
  const messages = { ...client, ...server }
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Leadline stream',
      version: apiVersion,
      description: 'Live video depth over a WebSocket. PROTOCOL.md says when each message may be sent.',
      license: { name: 'Apache-2.0' }
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: '127.0.0.1:8042',
        protocol: 'ws',
        description: 'leadline serve, with its defaults',
        security: [
          { $ref: '#/components/securitySchemes/key' },
          { $ref: '#/components/securitySchemes/ticket' }
        ]
      }
    },
    channels: {
      stream: {
        address: streamPath,
        description: `A WebSocket with subprotocol ${subprotocol}: text is control, binary is media`,
        messages: refs(Object.keys(messages), '#/components/messages'),
        bindings: {
          ws: {
            method: 'GET',
            headers: {
              type: 'object',
              required: ['Sec-WebSocket-Protocol'],
              properties: { 'Sec-WebSocket-Protocol': { type: 'string', pattern: `\\b${subprotocol}\\b` } }
            },
            bindingVersion: '0.1.0'
          }
        },
        'x-header': {
          bytes: headerBytes,
          kind: kinds,
          codec: codecs,
          dtype: dtypes,
          quantity: quantities,
          flags
        },
        'x-codes': Object.fromEntries(errorCodes.map((code) => [code, codeOf(code)]))
      }
    },
    operations: {
      receiveFromClient: operation('receive', 'What a client may say', Object.keys(client)),
      sendToClient: operation('send', 'What the server may say', Object.keys(server))
    },
    components: {
      messages,
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'A key of this server with scope stream: docs/keys.md'
        },
        ticket: {
          type: 'httpApiKey',
          name: 'Sec-WebSocket-Protocol',
          in: 'header',
          description: `${ticketPrefix} and a ticket of POST /v1/tickets, offered after ${subprotocol}`
        }
      }
    }
  }
  // Through JSON: TypeBox schemas carry hidden marks, and one object used twice would become a YAML alias.
  return stringify(JSON.parse(JSON.stringify(document)), { aliasDuplicateObjects: false, lineWidth: 110 })
}

/** Both sides have a `reset` and a `checkpoint`. */
function controls(
  side: 'client' | 'server',
  schemas: Record<string, TSchema>,
  says: Record<string, string>
): Record<string, object> {
  return Object.fromEntries(
    Object.entries(schemas).map(([type, payload]) => [
      `${side}.${type}`,
      { name: type, title: type, summary: says[type], payload }
    ])
  )
}

function pick(names: readonly (keyof typeof binaryMessages)[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, binaryMessages[name]]))
}

function refs(names: readonly string[], where: string): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `${where}/${name}` }]))
}

function operation(action: 'send' | 'receive', summary: string, names: readonly string[]): object {
  const messages = Object.values(refs(names, '#/channels/stream/messages'))
  return { action, summary, channel: { $ref: '#/channels/stream' }, messages }
}

function codeOf(code: (typeof errorCodes)[number]): object {
  const { close, outlived = false, retryMs } = errorDefinition(code)
  const title = errorTitles[code]
  return { title, close, temporary: retryMs !== null, outlived }
}
