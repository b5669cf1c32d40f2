import { decodeMessage, flags } from '../../wire/frame.ts'
import type { Header } from '../../wire/frame.ts'
import type { ServerMessage } from '../../wire/protocol.ts'

/** How a frame ended, as it went over the wire. */
export type Outcome =
  | { type: 'depth'; message: Uint8Array }
  | {
      type: 'drop'
      reason: string
      /** by the latent cache, so that what follows depends on it */ wasSeen: boolean
    }
  | { type: 'error'; code: string }

export function dropped({ reason, seen }: Extract<ServerMessage, { type: 'drop' }>): Outcome {
  return { type: 'drop', reason, wasSeen: seen === true || reason === 'unacknowledged' }
}

/** In what the second differs from the first, for people; null: in nothing. */
export function difference(recorded: Outcome, replayed: Outcome): string | null {
  if (recorded.type === 'depth' && replayed.type === 'depth')
    return depthDifference(recorded.message, replayed.message)
  const [one, other] = [inWords(recorded), inWords(replayed)]
  return one === other ? null : `${one} was recorded, ${other} came`
}

function inWords(outcome: Outcome): string {
  if (outcome.type === 'depth') return 'a depth map'
  return outcome.type === 'drop' ? `a drop (${outcome.reason})` : `an error (${outcome.code})`
}

function depthDifference(recorded: Uint8Array, replayed: Uint8Array): string | null {
  const one = decodeMessage(recorded)
  const other = decodeMessage(replayed)
  const field = differentField(lasting(one.header), lasting(other.header))
  if (field !== null) return `${field.name} of its depth map was ${field.one}, and is ${field.other}`
  if (Buffer.compare(one.payload, other.payload) === 0) return null
  if (one.payload.byteLength !== other.payload.byteLength)
    return `its depth map had ${one.payload.byteLength} bytes, and has ${other.payload.byteLength}`
  const count = one.payload.reduce((found, byte, at) => found + Number(byte !== other.payload[at]), 0)
  return `${count} of the ${one.payload.byteLength} bytes of its depth map differ`
}

/** Without what is of the moment: times, and whether some other frame was dropped. */
function lasting(header: Header): Header {
  return { ...header, queueUs: 0, computeUs: 0, flags: header.flags & ~flags.droppedBefore }
}

function differentField(one: Header, other: Header): { name: string; one: unknown; other: unknown } | null {
  for (const name of Object.keys(one) as (keyof Header)[])
    if (!Object.is(one[name], other[name])) return { name, one: one[name], other: other[name] }
  return null
}
