import type { Opener } from '../../access/index.ts'
import type { ContextOrigin } from '../../wire/context-bytes.ts'
import { unpackContext } from '../../wire/context-bytes.ts'
import { ContextParts } from '../../wire/context-parts.ts'
import { LeadlineError } from '../../errors.ts'
import { decodeMessage } from '../../wire/frame.ts'
import type { ConfigMessage } from '../../wire/protocol.ts'
import { liveModes, sessionOptions } from '../../session.ts'
import type { OpenWish } from '../../sessions/index.ts'
import type { Held } from './early-messages.ts'

/** As many contexts of the greatest size may be on their way to one server at once. */
const atOnce = 4

/** The memory that contexts may take while they come. */
export class ContextRoom {
  readonly maxBytes: number
  #free: number

  /** `maxBytes` is the greatest size of one. */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
    this.#free = atOnce * maxBytes
  }

  /** Gives the function that frees it; twice does no harm. Throws CONTEXT_TOO_LARGE, NO_CAPACITY. */
  reserve(bytes: number): () => void {
    const { maxBytes } = this
    if (bytes > maxBytes) {
      const detail = `A context of ${bytes} bytes; the server takes at most ${maxBytes} (LEADLINE_MAX_CONTEXT_MIB)`
      throw new LeadlineError('CONTEXT_TOO_LARGE', detail)
    }
    if (bytes > this.#free)
      throw new LeadlineError('NO_CAPACITY', 'Too many contexts are on their way to this server; try again')
    this.#free -= bytes
    let held = bytes
    return () => {
      this.#free += held
      held = 0
    }
  }
}

/** The context that a new session goes on from, while it comes behind its `config`. */
export class ContextArrival {
  readonly config: ConfigMessage
  readonly #parts: ContextParts
  readonly #free: () => void

  /** Throws as the room's `reserve`. */
  constructor(config: ConfigMessage, bytes: number, room: ContextRoom) {
    this.config = config
    this.#free = room.reserve(bytes)
    this.#parts = new ContextParts(bytes)
  }

  /** The whole context, if this was the last of it. Throws CONTEXT_INVALID, FRAME_MALFORMED. */
  take({ data, kind }: Held): Uint8Array | null {
    if (kind === 'text')
      throw new LeadlineError('CONTEXT_INVALID', 'A text message came before the context was whole')
    this.#parts.take(decodeMessage(data))
    return this.#parts.whole
  }

  /** Nothing of it is wanted any more. Twice does no harm. */
  end(): void {
    this.#free()
  }
}

/** What a `config` asks of the sessions. Throws CONTEXT_INVALID, also where it is to be another than its context is of. */
export async function openWish(
  config: ConfigMessage,
  context: Uint8Array | null,
  { opener, defaultModel }: { opener: Opener; defaultModel: string }
): Promise<OpenWish> {
  const { type: _, credit: __, context: ___, resume: ____, resumable = false, ...wishes } = config
  const more = { ...opener, resumable }
  if (context === null) return { ...sessionOptions(wishes, defaultModel), ...more }
  const from = await unpackContext(context)
  checkSame(from.origin, wishes)
  return { ...sessionOptions({ ...wishes, ...wishesOf(from.origin) }, defaultModel), ...more, from }
}

type Kind = Pick<ConfigMessage, 'model' | 'mode' | 'cacheSize'>

function checkSame(origin: ContextOrigin, wishes: Kind): void {
  // The other modes ignore it.
  const named =
    origin.mode === 'ovda' ? (['model', 'mode', 'cacheSize'] as const) : (['model', 'mode'] as const)
  for (const wish of named) {
    const wished = wishes[wish]
    if (wished !== undefined && wished !== origin[wish])
      refuse(
        `it is of ${wish} ${origin[wish]}, and "config" asks for ${wished}; leave that out, or begin anew`
      )
  }
}

/** What the session is, which a client need not say again. */
function wishesOf({
  model,
  mode,
  cacheSize
}: ContextOrigin): Pick<ConfigMessage, 'model' | 'mode' | 'cacheSize'> {
  const live = liveModes.find((known) => known === mode) ?? refuse(`no stream has its mode, ${mode}`)
  return mode === 'ovda' ? { model, mode: live, cacheSize } : { model, mode: live }
}

function refuse(reason: string): never {
  throw new LeadlineError('CONTEXT_INVALID', `A session cannot go on from this context: ${reason}`)
}
