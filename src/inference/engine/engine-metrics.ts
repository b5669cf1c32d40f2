import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { StepMeter } from './step-loop.ts'
import type { Executor } from '../executor.ts'
import { noTransfers, type Direction } from '../transfers.ts'

/** What is told of an engine. */
export interface EngineFigures {
  readonly sessionCount: number
  readonly offer: { capacityBytes: number }
  readonly reservedBytes: number
  readonly parkedCount: number
  readonly parkedBytes: number
  readonly degradation: string | null
}

/** Figures of one engine for Prometheus, in base units. What the executor counts is asked for when they are read. */
export class EngineMetrics implements StepMeter {
  readonly registry = new Registry()
  readonly #seconds = new Histogram({
    name: 'leadline_step_seconds',
    help: 'Time of a step on the device, all its rows together',
    buckets: [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2],
    registers: [this.registry]
  })
  readonly #rows = new Histogram({
    name: 'leadline_step_rows',
    help: 'Sessions that shared a step',
    buckets: [1, 2, 4, 8, 16],
    registers: [this.registry]
  })

  stepped(rows: number, seconds: number): void {
    this.#seconds.observe(seconds)
    this.#rows.observe(rows)
  }

  /** Once, when there is an engine. */
  watch(engine: EngineFigures, executor: Executor): void {
    const gauge = (name: string, help: string, value: () => number): void => {
      const made: Gauge = new Gauge({
        ...{ name, help, registers: [this.registry] },
        collect: () => made.set(value())
      })
    }
    gauge('leadline_sessions', 'Open sessions', () => engine.sessionCount)
    gauge(
      'leadline_capacity_bytes',
      'Device memory that latent caches may take',
      () => engine.offer.capacityBytes
    )
    gauge(
      'leadline_reserved_bytes',
      'Device memory reserved for the caches of open sessions',
      () => engine.reservedBytes
    )
    gauge('leadline_parked_sessions', 'Open sessions without device memory', () => engine.parkedCount)
    gauge(
      'leadline_parked_bytes',
      'Host memory that the latent caches of parked sessions hold',
      () => engine.parkedBytes
    )
    gauge('leadline_degraded', '1 after batches had to be made smaller for lack of memory', () =>
      engine.degradation === null ? 0 : 1
    )
    const losses = new Counter({
      name: 'leadline_executor_losses_total',
      help: 'Deaths and hangs of the process that holds the latent caches',
      registers: [this.registry]
    })
    executor.onLoss?.(() => losses.inc())
    this.#countTransfers(executor)
  }

  /** Counters of the executor process: when it has died, its successor's begin anew, as counters may. */
  #countTransfers(executor: Executor): void {
    const read = () => executor.transfers().catch(() => noTransfers)
    const frames: Counter = new Counter({
      name: 'leadline_frames_stepped_total',
      help: 'Frames that went through the network; one of them tried it at the start',
      registers: [this.registry],
      collect: async () => {
        const total = await read()
        frames.reset()
        frames.inc(total.frames)
      }
    })
    const bytes: Counter<'direction' | 'kind'> = new Counter({
      name: 'leadline_transfer_bytes_total',
      help: 'Bytes between host and device; kind "cache" stands still while streams go on',
      labelNames: ['direction', 'kind'],
      registers: [this.registry],
      collect: async () => {
        const total = await read()
        bytes.reset()
        for (const direction of ['toDevice', 'toHost'] as const)
          for (const [kind, count] of Object.entries(total[direction]))
            bytes.inc({ direction: labels[direction], kind }, count)
      }
    })
  }
}

const labels: Record<Direction, string> = { toDevice: 'to_device', toHost: 'to_host' }
