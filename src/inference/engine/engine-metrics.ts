import { Registry } from 'prom-client'
import { stageTimesMs, workerStages } from '../../metering/frame-stages.ts'
import type { FrameMeter, FrameStages } from '../../metering/frame-stages.ts'
import { counter, histogram, watched } from '../../metering/meters.ts'
import { reached } from '../../machine/start-times.ts'
import type { StepMeter } from './step-loop.ts'
import type { Executor } from '../executor.ts'
import { noTransfers, type Direction } from '../transfers.ts'

/** What is told of an engine. */
export interface EngineFigures {
  readonly offer: { capacityBytes: number }
  readonly reservedBytes: number
  readonly parkedBytes: number
  readonly degradation: string | null
}

/** Figures of one engine for Prometheus. What the executor counts is asked for when they are read. */
export class EngineMetrics implements StepMeter, FrameMeter {
  readonly registry = new Registry()
  readonly #onFirst: ((seconds: number) => void) | undefined
  #hasFramed = false
  readonly #seconds = histogram(this.registry, 'leadline_step_seconds')
  readonly #rows = histogram(this.registry, 'leadline_step_rows')
  readonly #stages = histogram(this.registry, 'leadline_frame_stage_seconds')

  /** `onFirst` is told when the first depth map was made, in seconds since the process was started. */
  constructor(onFirst?: (seconds: number) => void) {
    this.#onFirst = onFirst
  }

  stepped(rows: number, seconds: number): void {
    this.#seconds.observe(seconds)
    this.#rows.observe(rows)
  }

  framed({ stages }: { stages: FrameStages }): void {
    if (!this.#hasFramed) this.#onFirst?.(reached(this.registry, 'first_depth'))
    this.#hasFramed = true
    const times = stageTimesMs(stages)
    for (const stage of workerStages) this.#stages.observe({ stage }, Math.max(0, times[stage]) / 1000)
  }

  /** Once, when there is an engine. */
  watch(engine: EngineFigures, executor: Executor, isAlive: () => boolean): void {
    const { registry } = this
    watched(registry, 'leadline_capacity_bytes', (set) => set(engine.offer.capacityBytes))
    watched(registry, 'leadline_reserved_bytes', (set) => set(engine.reservedBytes))
    watched(registry, 'leadline_parked_bytes', (set) => set(engine.parkedBytes))
    watched(registry, 'leadline_degraded', (set) => set(engine.degradation === null ? 0 : 1))
    watched(registry, 'leadline_executor_up', (set) => set(isAlive() ? 1 : 0))
    const losses = counter(registry, 'leadline_executor_losses_total')
    executor.onLoss?.(() => losses.inc())
    this.#countTransfers(executor)
  }

  /** Counters of the executor process: when it has died, its successor's begin anew, as counters may. */
  #countTransfers(executor: Executor): void {
    const read = () => executor.transfers().catch(() => noTransfers)
    watched(this.registry, 'leadline_frames_stepped_total', async (set) => set((await read()).frames))
    watched(this.registry, 'leadline_transfer_bytes_total', async (set) => {
      const total = await read()
      for (const direction of ['toDevice', 'toHost'] as const)
        for (const [kind, count] of Object.entries(total[direction]))
          set(count, { direction: labels[direction], kind })
    })
  }
}

const labels: Record<Direction, string> = { toDevice: 'to_device', toHost: 'to_host' }
