import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Static } from 'typebox'
import Type from 'typebox'
import type { Access, Caller } from '../../access/index.ts'
import { ownerOf, reachOf } from '../../access/index.ts'
import { LeadlineError } from '../../errors.ts'
import { dayOf } from '../../metering/measures.ts'
import { daysBetween, keptDays } from '../../usage/index.ts'
import type { UsageRow, UsageStore, UsageWish } from '../../usage/index.ts'
import { guardedResponses } from '../problem.ts'

const dayMs = 86_400_000
/** Of a request that does not say from when. */
const usualDays = 30
/** In place of the id of a key. */
const anonymous = 'anonymous'

const count = (description: string) => Type.Integer({ minimum: 0, description })
const orNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description })

const usageSchema = Type.Object({
  day: Type.String({ format: 'date', description: 'Of UTC' }),
  key: orNull('Id of the key; null: what was used without one'),
  name: orNull('Its name; null: it has none, or is not known any more'),
  frames: count('Frames of streams, and images, that got their depth'),
  megapixels: Type.Number({ minimum: 0, description: 'Of their pictures, and of those of clips' }),
  deviceMs: Type.Number({
    minimum: 0,
    description: 'Their shares of the steps on the device, and those of clips'
  }),
  sessionSeconds: Type.Number({
    minimum: 0,
    description: 'For which sessions were open, those of clips left out'
  }),
  clipFrames: count('Frames of clips that have ended'),
  bytesIn: count('Of these frames and images, and of the videos of clips'),
  bytesOut: count('Of their depth maps, and of the results of clips')
})

const usageQuery = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        format: 'date',
        description: `First day of UTC; default: ${usualDays - 1} days before the last`
      })
    ),
    to: Type.Optional(
      Type.String({ format: 'date', description: 'Last day, which is among them; default: today' })
    ),
    key: Type.Optional(
      Type.String({
        pattern: `^([0-9a-f]{16}|${anonymous})$`,
        description: `Id of a key, or ${anonymous}; default: with scope admin all, else the own`
      })
    )
  },
  { additionalProperties: false }
)
type UsageQuery = Static<typeof usageQuery>

export const usageRoute: FastifyPluginAsyncTypebox<{ access: Access; usage: UsageStore }> = async (
  app,
  { access, usage }
) => {
  app.get(
    '/v1/usage',
    {
      config: { access: 'anyKey' },
      schema: {
        tags: ['usage'],
        operationId: 'getUsage',
        summary: 'What was used',
        description:
          'By key and day, oldest first; days without any use are left out. A key sees its own, one with scope admin all. ' +
          `Days are kept for ${keptDays} days. docs/usage.md says what is counted, and when.`,
        querystring: usageQuery,
        response: {
          200: { description: 'Usage', ...Type.Object({ usage: Type.Array(usageSchema) }) },
          ...guardedResponses('REQUEST_INVALID', 'STORE_UNAVAILABLE')
        }
      }
    },
    async ({ caller, query }) => {
      const rows = await usage.read(wishOf(query, caller, Date.now()))
      const names = await access.names(rows.flatMap(({ owner }) => owner ?? []))
      return { usage: rows.map((row) => shown(row, names)) }
    }
  )
}

/** Throws REQUEST_INVALID, FORBIDDEN. */
function wishOf({ from, to, key }: UsageQuery, caller: Caller, nowMs: number): UsageWish {
  const last = to ?? dayOf(nowMs)
  const days = { from: from ?? dayOf(Date.parse(last) - (usualDays - 1) * dayMs), to: last }
  const asked = daysBetween(days.from, days.to).length
  if (asked === 0 || asked > keptDays)
    throw new LeadlineError(
      'REQUEST_INVALID',
      `From ${days.from} to ${days.to} are ${asked} days; ask for 1 to ${keptDays}, the last one not before the first`
    )
  const wanted = key === undefined ? undefined : { owner: key === anonymous ? null : key }
  if (reachOf(caller) === null) return { ...days, ...(wanted && { of: wanted }) }
  const own = ownerOf(caller)
  if (wanted !== undefined && wanted.owner !== own)
    throw new LeadlineError(
      'FORBIDDEN',
      'The usage of others needs a key with scope "admin"; leave "key" out'
    )
  return { ...days, of: { owner: own } }
}

function shown(
  { day, owner, amounts }: UsageRow,
  names: ReadonlyMap<string, string>
): Static<typeof usageSchema> {
  const { pixels, deviceUs, sessionMs, frames, clipFrames, bytesIn, bytesOut } = amounts
  return {
    ...{ day, key: owner, name: names.get(owner ?? '') ?? null },
    ...{ frames, megapixels: pixels / 1e6, deviceMs: deviceUs / 1000, sessionSeconds: sessionMs / 1000 },
    ...{ clipFrames, bytesIn, bytesOut }
  }
}
