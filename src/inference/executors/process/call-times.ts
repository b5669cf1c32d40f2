import type { Request } from './child-messages.ts'

/** What one call took, or what such calls take: time by the clock and processor time of all threads, in milliseconds. */
export interface CallTime {
  wallMs: number
  cpuMs: number
}

/** The slowest call is forgotten by a tenth a call: a slow spell of the machine counts for a second or two of video. */
const memory = 0.9
/** What a call may take that was never seen, if its model came out of a cache faster than this, in milliseconds. */
const unseenMs = 5_000
/**
 * What any call may take on a device, in milliseconds: others use it too, without a word, and its driver waits for them
 * asleep or spinning. A process that waits for a processor is seen to; one that waits for a GPU is not.
 */
const deviceMs = 9_000

/**
 * What the calls of one life of the executor process take, by model and kind: the slowest of the last ones. A kind not
 * seen so far takes no longer than loading its model did, which includes running it.
 */
export class CallTimes {
  readonly #byModel = new Map<number, Map<string, CallTime>>()
  readonly #leastMs: number

  constructor({ isOnDevice }: { isOnDevice: boolean }) {
    this.#leastMs = isOnDevice ? deviceMs : 0
  }

  note(request: Request, value: unknown, { wallMs, cpuMs }: CallTime): void {
    const model = request.operation === 'load' ? Number(value) : modelOf(request)
    if (request.operation === 'unload') this.#byModel.delete(model)
    if (request.operation === 'unload' || Number.isNaN(model)) return
    const times = this.#byModel.get(model) ?? new Map<string, CallTime>()
    this.#byModel.set(model, times)
    const before = times.get(kindOf(request)) ?? { wallMs: 0, cpuMs: 0 }
    times.set(kindOf(request), {
      wallMs: Math.max(wallMs, before.wallMs * memory),
      cpuMs: Math.max(cpuMs, before.cpuMs * memory)
    })
  }

  usual(request: Request): CallTime {
    const { wallMs, cpuMs } = this.#seen(request)
    return { wallMs: Math.max(this.#leastMs, wallMs), cpuMs }
  }

  #seen(request: Request): CallTime {
    const times = this.#byModel.get(modelOf(request))
    const seen = times?.get(kindOf(request))
    if (seen) return seen
    const { wallMs, cpuMs } = times?.get('load') ?? { wallMs: 0, cpuMs: 0 }
    return { wallMs: Math.max(unseenMs, wallMs), cpuMs: Math.max(unseenMs, cpuMs) }
  }
}

/** NaN for a call that names none. */
function modelOf({ operation, args }: Request): number {
  return operation === 'step' || operation === 'slice' || operation === 'newState' || operation === 'unload'
    ? args[0]
    : Number.NaN
}

/** Calls of a kind take alike: a batch of so many rows, one stage of a window. */
function kindOf({ operation, args }: Request): string {
  if (operation === 'step') return `step of ${args[1].length}`
  return operation === 'slice' ? `slice ${args[1].stage}` : operation
}
