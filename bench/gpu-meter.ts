import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

/** One look at a GPU. */
export interface GpuLook {
  atMs: number
  /** Share of the last moments in which some kernel ran, in percent, as the driver counts it. */
  busyPercent: number
  /** Of everyone on the GPU. */
  usedMib: number
}

const intervalMs = 100

/** Looks at an NVIDIA GPU ten times a second through nvidia-smi; sees nothing where there is none. Whoever starts it closes it. */
export class GpuMeter {
  readonly #looks: GpuLook[] = []
  readonly #process: ChildProcess

  constructor() {
    this.#process = spawn(
      'nvidia-smi',
      [
        '--query-gpu=utilization.gpu,memory.used',
        '--format=csv,noheader,nounits',
        '--id=0',
        `--loop-ms=${intervalMs}`
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] }
    )
    this.#process.once('error', () => undefined)
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      const [busyPercent = NaN, usedMib = NaN] = line.split(',').map(Number)
      if (!Number.isNaN(busyPercent + usedMib))
        this.#looks.push({ atMs: performance.now(), busyPercent, usedMib })
    })
  }

  /** What was seen in any of these spans of `performance.now()`. */
  during(spans: readonly { fromMs: number; toMs: number }[]): GpuLook[] {
    return this.#looks.filter(({ atMs }) => spans.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs))
  }

  close(): void {
    this.#process.kill()
  }
}
