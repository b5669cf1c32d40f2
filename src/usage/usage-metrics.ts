import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Meter, UsageEntry, UsageMeasure } from '../metering.ts'

interface Figure {
  name: string
  help: string
  /** Of the measure, for one of the figure. */
  unit: number
}

const figures: Readonly<Record<UsageMeasure, Figure>> = {
  frames: { name: 'frames', help: 'Frames of streams and images that got their depth', unit: 1 },
  pixels: { name: 'pixels', help: 'Of the pictures of frames that got their depth', unit: 1 },
  deviceUs: { name: 'device_seconds', help: 'Shares of steps that frames got their depth from', unit: 1e6 },
  sessionMs: {
    name: 'session_seconds',
    help: 'For which sessions were open, those of clips left out',
    unit: 1e3
  },
  clipFrames: { name: 'clip_frames', help: 'Frames of clips that have ended', unit: 1 },
  bytesIn: { name: 'received_bytes', help: 'Of frames and videos', unit: 1 },
  bytesOut: { name: 'sent_bytes', help: 'Of depth maps, and of the results of clips', unit: 1 }
}

/**
 * The same meter, whose registry says what this process has counted since it began. With `byKey` it says it of each key by its id,
 * which is one series more per key and figure.
 */
export function toldMeter(meter: Meter, registry: Registry, byKey: boolean): Meter {
  const counters = Object.entries(figures).map(
    ([measure, figure]) => [measure as UsageMeasure, counterOf(registry, figure, byKey)] as const
  )
  const note = ({ amounts, owner }: UsageEntry): void => {
    for (const [measure, counter] of counters) {
      const amount = (amounts[measure] ?? 0) / figures[measure].unit
      if (byKey) counter.inc({ key: owner ?? '' }, amount)
      else counter.inc(amount)
    }
  }
  return {
    count: async (entry) => {
      const isNew = await meter.count(entry)
      if (isNew) note(entry)
      return isNew
    }
  }
}

/** Gateway and worker of one process count in one. */
function counterOf(registry: Registry, { name, help }: Figure, byKey: boolean): Counter<'key'> {
  const whole = `leadline_usage_${name}_total`
  const known = registry.getSingleMetric(whole) as Counter<'key'> | undefined
  const labelNames = byKey ? (['key'] as const) : []
  return known ?? new Counter({ name: whole, help, labelNames, registers: [registry] })
}
