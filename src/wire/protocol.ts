import type { Static, TSchema } from 'typebox'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import Value from 'typebox/value'
import { parseTyped } from './control-text.ts'
import { LeadlineError } from '../errors.ts'
import { outputConflict, outputOptions, outputSchema } from './output.ts'
import { continuities, dropReasons, modelOfferSchema, parkReasons } from '../session.ts'
import { resetReasons, sessionConfigSchema } from '../session.ts'

/** The text messages of `/v1/stream`. PROTOCOL.md tells when each may be sent. */

const id = Type.String({ maxLength: 64 })

/** How far a client got in a session that it comes back to. */
const position = Type.Object(
  {
    session: Type.String({ maxLength: 64 }),
    token: Type.String({ maxLength: 128, description: 'The resumeToken of the newest ready' }),
    epoch: Type.Integer({ minimum: 0, description: 'Of the last outcome received; 0 before the first' }),
    seq: Type.Integer({ minimum: -1, description: 'Of the last outcome received; -1 before the first' })
  },
  { additionalProperties: false }
)
const config = Type.Object(
  {
    type: Type.Literal('config'),
    ...sessionConfigSchema.properties,
    credit: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Results the server may send before more credit; default: no limit'
      })
    ),
    resumable: Type.Optional(
      Type.Boolean({ description: 'Keep the session for a while when its socket is gone; default false' })
    ),
    resume: Type.Optional(position),
    context: Type.Optional(
      Type.Object(
        {
          bytes: Type.Integer({ minimum: 1, description: 'Of the context, which follows in binary messages' })
        },
        { additionalProperties: false }
      )
    )
  },
  { additionalProperties: false }
)
const credit = Type.Object({
  type: Type.Literal('credit'),
  results: Type.Integer({ minimum: 1, maximum: 1_000_000 })
})
const flush = Type.Object({ type: Type.Literal('flush'), id: Type.Optional(id) })
const reset = Type.Object({ type: Type.Literal('reset') })
const update = Type.Object(
  { type: Type.Literal('update'), id: Type.Optional(id), output: outputSchema },
  { additionalProperties: false }
)
const checkpoint = Type.Object({ type: Type.Literal('checkpoint'), id: Type.Optional(id) })
const ping = Type.Object({ type: Type.Literal('ping'), id: Type.Optional(id) })
const ack = Type.Object({ type: Type.Literal('ack'), seq: Type.Integer({ minimum: 0 }) })
const replayed = Type.Object({ type: Type.Literal('replayed') })
const detach = Type.Object({ type: Type.Literal('detach') })
const close = Type.Object({ type: Type.Literal('close') })

export const clientSchemas = {
  ...{ config, credit, ack, flush, reset, update, checkpoint, ping, replayed, detach, close }
}
export type SessionPosition = Static<typeof position>
export type ConfigMessage = Static<typeof config>
export type ClientMessage = {
  [T in keyof typeof clientSchemas]: Static<(typeof clientSchemas)[T]>
}[keyof typeof clientSchemas]

const seconds = Type.Number()
/** Null: the executor does not say. */
const digest = Type.Union([Type.String(), Type.Null()])
/** A client checks what it receives by `src/client/server-message.ts`, which is held to these. */
export const serverSchemas = {
  ready: Type.Object({
    type: Type.Literal('ready'),
    session: Type.String(),
    /** Secret; proves ownership when resuming. */
    resumeToken: Type.String(),
    epoch: Type.Integer(),
    model: Type.String(),
    modelDigest: Type.String(),
    license: Type.String(),
    quantity: modelOfferSchema.properties.quantity,
    mode: Type.String(),
    cacheSize: Type.Integer(),
    limits: Type.Object({
      maxInFlight: Type.Integer(),
      maxFrameBytes: Type.Integer(),
      maxPixels: Type.Integer(),
      idleTimeoutMs: Type.Integer(),
      graceMs: Type.Integer({ description: 'How long the session is kept without a socket' })
    }),
    /** Of a session that was resumed. */
    resumed: Type.Optional(
      Type.Object({
        continuity: Type.Enum(continuities),
        digest,
        seq: Type.Integer({ description: 'Of the last outcome; -1 before the first' }),
        after: Type.Integer({
          description: 'Highest seq that the servers have; frames above it are wanted again'
        }),
        replay: Type.Optional(Type.Object({ frames: Type.Integer(), bytes: Type.Integer() }))
      })
    ),
    /** Of a session that goes on from a context. */
    continued: Type.Optional(
      Type.Object({
        continuity: Type.Enum(continuities),
        digest,
        seq: Type.Integer({
          description: 'Of the last outcome before the checkpoint; frames are numbered from behind it'
        })
      })
    )
  }),
  reset: Type.Object({
    type: Type.Literal('reset'),
    epoch: Type.Integer(),
    seq: Type.Union([Type.Integer(), Type.Null()]),
    reason: Type.Enum(resetReasons)
  }),
  recovered: Type.Object({
    type: Type.Literal('recovered'),
    epoch: Type.Integer(),
    seq: Type.Integer(),
    continuity: Type.Enum(continuities),
    alignment: Type.Optional(
      Type.Object({ scale: Type.Number(), offset: Type.Number(), residual: Type.Number() })
    )
  }),
  drop: Type.Object({
    ...{ type: Type.Literal('drop'), seq: Type.Integer(), reason: Type.Enum(dropReasons) },
    seen: Type.Optional(
      Type.Boolean({ description: 'The latent cache has seen the frame: its depth map alone was dropped' })
    )
  }),
  flushed: Type.Object({
    type: Type.Literal('flushed'),
    id,
    epoch: Type.Optional(Type.Integer()),
    seq: Type.Optional(
      Type.Integer({ description: 'Of the last frame that the latent cache has seen; -1 before the first' })
    ),
    digest: Type.Optional(digest)
  }),
  updated: Type.Object({ type: Type.Literal('updated'), id }),
  checkpoint: Type.Object({
    ...{ type: Type.Literal('checkpoint'), id },
    seq: Type.Optional(Type.Integer({ description: 'Of the last frame accepted before it; -1: none' })),
    bytes: Type.Optional(Type.Integer({ description: 'Of the context, which follows in binary messages' })),
    failure: Type.Optional(
      Type.Object({ code: Type.String(), detail: Type.String(), temporary: Type.Boolean() })
    )
  }),
  pong: Type.Object({ type: Type.Literal('pong'), id: Type.Optional(id) }),
  notice: Type.Object({
    ...{ type: Type.Literal('notice'), reason: Type.Enum(parkReasons), bytes: Type.Integer() },
    deadlineMs: Type.Integer({ description: 'Until the session is parked' })
  }),
  parked: Type.Object({
    type: Type.Literal('parked'),
    reason: Type.Enum(parkReasons),
    bytes: Type.Integer()
  }),
  advice: Type.Object({
    ...{ type: Type.Literal('advice'), unsettled: Type.Integer() },
    fps: Type.Union([Type.Number(), Type.Null()], { description: 'Frames a second; null: as many as wished' })
  }),
  goAway: Type.Object({ type: Type.Literal('goAway'), timeLeftMs: Type.Integer() }),
  detached: Type.Object({ type: Type.Literal('detached'), graceMs: Type.Integer() }),
  error: Type.Object({
    type: Type.Literal('error'),
    code: Type.String(),
    title: Type.String(),
    detail: Type.String(),
    temporary: Type.Boolean(),
    seq: Type.Optional(Type.Integer()),
    retryAfterMs: Type.Optional(Type.Integer())
  }),
  summary: Type.Object({
    type: Type.Literal('summary'),
    frames: Type.Integer({ description: 'Frames accepted' }),
    results: Type.Integer(),
    drops: Type.Integer(),
    errors: Type.Integer(),
    seconds
  })
}
export type ServerMessage = {
  [T in keyof typeof serverSchemas]: Static<(typeof serverSchemas)[T]>
}[keyof typeof serverSchemas]
export type ReadyMessage = Static<(typeof serverSchemas)['ready']>
export type SummaryMessage = Static<(typeof serverSchemas)['summary']>

const clientTypes = Object.keys(clientSchemas)
/** A client sends two messages for a few frames; a compiled check takes a hundredth of the time. Each is made when it is needed. */
const checks = new Map<TSchema, (value: unknown) => boolean>()

/** Parse a client's text message. Throws MESSAGE_MALFORMED or, for a wrong config, CONFIG_INVALID. */
export function parseClientMessage(text: string): ClientMessage {
  const { type, value } = parseTyped(text, clientTypes)
  const schema = clientSchemas[type as keyof typeof clientSchemas]
  const isWish = type === 'config' || type === 'update'
  check(schema, value, isWish ? 'CONFIG_INVALID' : 'MESSAGE_MALFORMED')
  const message = value as ClientMessage
  if (message.type === 'config') checkWishes(message)
  if (message.type === 'config' || message.type === 'update') checkOutput(message)
  return message
}

/** A session that is resumed has its wishes already. */
function checkWishes({ type: _, resume, credit: __, ...wishes }: ConfigMessage): void {
  const [wish] = Object.keys(wishes)
  if (resume === undefined || wish === undefined) return
  throw new LeadlineError(
    'CONFIG_INVALID',
    `/${wish} beside /resume: a session keeps the wishes it was opened with`
  )
}

function check(schema: TSchema, value: unknown, code: 'CONFIG_INVALID' | 'MESSAGE_MALFORMED'): void {
  if (!checkOf(schema)(value)) throw new LeadlineError(code, explain(schema, value))
}

function checkOf(schema: TSchema): (value: unknown) => boolean {
  const known = checks.get(schema)
  if (known) return known
  const validator = Compile(schema)
  const made = (value: unknown): boolean => validator.Check(value)
  checks.set(schema, made)
  return made
}

function checkOutput({ output }: Pick<ConfigMessage, 'output'>): void {
  const conflict = outputConflict(outputOptions(output))
  if (conflict !== null) throw new LeadlineError('CONFIG_INVALID', `In /output, ${conflict}`)
}

/** What is wrong first: where, with which value, and what would be right. */
function explain(schema: TSchema, value: unknown): string {
  const [first] = Value.Errors(schema, value)
  if (first === undefined) return 'It is not valid'
  const where = first.instancePath || 'the message'
  if (first.keyword === 'boolean') return `${where} is not a known field`
  const found = JSON.stringify(Value.Pointer.Get(value, first.instancePath)) ?? 'missing'
  const allowed = first.keyword === 'enum' ? `: ${first.params.allowedValues.join(', ')}` : ''
  return `${where} is ${found.slice(0, 80)}; it ${first.message}${allowed}`
}
