import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { FastifyInstance } from 'fastify'
import { LeadlineError } from '../../errors.ts'

const lookMs = 1000
/** In which the loop is asked how late it is; part of what it answers. */
const resolutionMs = 20
/** Of what V8 may take before it ends the process. */
const mostOfHeap = 0.9

/** How a process does: by how much its event loop is late on the mean of a second, and the share of its heap that is taken. */
interface Load {
  delayMs: number
  heapShare: number
}

/** High twice in a row, so that one long step of the loop refuses nobody. */
export class Pressure {
  readonly #maxDelayMs: number
  #highLooks = 0

  constructor(maxDelayMs: number) {
    this.#maxDelayMs = maxDelayMs
  }

  get isHigh(): boolean {
    return this.#highLooks >= 2
  }

  look({ delayMs, heapShare }: Load): void {
    this.#highLooks = delayMs > this.#maxDelayMs || heapShare > mostOfHeap ? this.#highLooks + 1 : 0
  }
}

/**
 * Refuse what is new while the process has more to do than it can; streams that run are served on. What says that it lives
 * is let through, for whoever balances the load and for the operator. `maxDelayMs` 0: nobody is refused.
 */
export function refuseUnderPressure(app: FastifyInstance, maxDelayMs: number): Pick<Pressure, 'isHigh'> {
  const pressure = new Pressure(maxDelayMs)
  if (maxDelayMs === 0) return pressure
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  let wasHigh = false
  const timer = setInterval(() => {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
    const delayMs = Number.isFinite(delay.mean) ? delay.mean / 1e6 - resolutionMs : 0
    pressure.look({ delayMs, heapShare: used / limit })
    delay.reset()
    if (pressure.isHigh !== wasHigh)
      app.log.warn(
        { delayMs: Math.round(delayMs), heapBytes: used },
        wasHigh ? 'there is room again' : 'overloaded: what is new is refused'
      )
    wasHigh = pressure.isHigh
  }, lookMs)
  app.addHook('onClose', async () => {
    clearInterval(timer)
    delay.disable()
  })
  app.addHook('onRequest', async ({ routeOptions: { config } }) => {
    if (!pressure.isHigh || config.access === 'everybody' || config.access === 'metrics') return
    throw overloaded()
  })
  return pressure
}

export function overloaded(): LeadlineError {
  return new LeadlineError('OVERLOADED', 'The server has more to do than it can; try again, or at another')
}
