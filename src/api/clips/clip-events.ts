import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import { reachOf } from '../../access/index.ts'
import type { Clips } from '../../clips/index.ts'
import { clipStates, hasEnded } from '../../clips/index.ts'
import { asLeadlineError, LeadlineError } from '../../errors.ts'
import { clientGone } from '../client-gone.ts'
import { guardedResponses } from '../problem.ts'
import type { ClipDocument } from './clip-document.ts'
import { clipParams, withLinks } from './clip-document.ts'

/** How often it is looked whether there is something to tell. */
const lookMs = 500
/** A line that says nothing keeps the connection open through proxies. */
const silenceMs = 15_000

/** Of each event. */
const eventSchema = Type.Object({
  id: Type.String({ description: 'For Last-Event-ID' }),
  event: Type.Enum(clipStates),
  data: Type.String({ contentMediaType: 'application/json', description: 'The clip, as getClip has it' })
})

/** How a clip gets on, as server-sent events (WHATWG HTML, 9.2). */
export const clipEventRoute: FastifyPluginAsyncTypebox<{ clips: Clips }> = async (app, { clips }) => {
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())
  app.get(
    '/v1/clips/:id/events',
    {
      config: { access: 'clips' },
      schema: {
        tags: ['clips'],
        operationId: 'watchClip',
        summary: 'Progress of a clip as server-sent events',
        description:
          'An event named by the state whenever the clip has changed, with its document as data; the stream ends with the ' +
          'clip. A browser’s EventSource comes back by itself: Last-Event-ID is heeded, and 204 says that there is nothing ' +
          'more to tell.',
        params: clipParams,
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: eventSchema } } },
          204: { description: 'The client has heard how it ended', ...Type.Null() },
          ...guardedResponses('REQUEST_INVALID', 'CLIP_UNKNOWN')
        }
      }
    },
    async (request, reply) => {
      const { caller, params, headers } = request
      const look = async () => withLinks(await clips.get(params.id, reachOf(caller)), '../')
      const first = await look()
      const heard = String(headers['last-event-id'] ?? '')
      if (hasEnded(first) && heard === eventId(first)) return reply.code(204).send(null)
      const signal = AbortSignal.any([clientGone(reply), closing.signal])
      return sendEvents(reply, events(first, { look, heard, signal }))
    }
  )
}

/** As they come, also through nginx. */
function sendEvents(reply: FastifyReply, lines: AsyncIterable<string>): FastifyReply {
  reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  return reply.type('text/event-stream').send(Readable.from(lines))
}

/** Whatever the client has heard last, by its id, is not told again. */
async function* events(
  first: ClipDocument,
  { look, heard, signal }: { look: () => Promise<ClipDocument>; heard: string; signal: AbortSignal }
): AsyncGenerator<string, void, undefined> {
  let toldAtMs = performance.now()
  yield `retry: ${lookMs * 4}\n\n`
  for (let clip: ClipDocument | null = first; clip !== null; clip = await next(look, signal)) {
    const id = eventId(clip)
    if (id !== heard) yield `id: ${id}\nevent: ${clip.state}\ndata: ${JSON.stringify(clip)}\n\n`
    else if (performance.now() - toldAtMs < silenceMs) continue
    else yield ': still there\n\n'
    heard = id
    toldAtMs = performance.now()
    if (hasEnded(clip)) return
  }
}

/** null: nobody listens any more, or the clip is gone. A store that is away is asked again. */
async function next(look: () => Promise<ClipDocument>, signal: AbortSignal): Promise<ClipDocument | null> {
  for (;;) {
    await wait(lookMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return null
    const found = await look().catch((error: unknown) => asLeadlineError(error))
    if (!(found instanceof LeadlineError)) return found
    if (!found.isTemporary) return null
  }
}

/** Of what has changed since. */
function eventId({ state, progress }: ClipDocument): string {
  return `${state}-${progress.frames}`
}
