import { LeadlineError } from '../errors.ts'

/** What both sides know of text messages without a schema, so that a browser need not carry one. */

export const subprotocol = 'leadline.v1'
/** Offered beside it: what follows is a ticket. */
export const ticketPrefix = 'leadline.ticket.'

/** A text message as JSON with its type; `known` are the types that there are, null: any. Throws MESSAGE_MALFORMED. */
export function parseTyped(text: string, known: string[] | null): { type: string; value: unknown } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new LeadlineError(
      'MESSAGE_MALFORMED',
      `Text messages are JSON control messages; got "${text.slice(0, 40)}". Frames are binary.`
    )
  }
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined
  if (typeof type !== 'string' || (known !== null && !known.includes(type))) {
    const wanted = known === null ? 'a string' : `one of ${known.join(', ')}`
    throw new LeadlineError(
      'MESSAGE_MALFORMED',
      `"type" is ${JSON.stringify(type) ?? 'missing'}; it must be ${wanted}`
    )
  }
  return { type, value }
}
