import type { Counter, Registry } from 'prom-client'
import { counter } from '../metering/meters.ts'
import type { Meter, UsageEntry, UsageMeasure } from '../metering/measures.ts'

/** The metric of a measure, and how much of the measure is one of it. */
const figures = {
  frames: { name: 'leadline_usage_frames_total', unit: 1 },
  pixels: { name: 'leadline_usage_pixels_total', unit: 1 },
  deviceUs: { name: 'leadline_usage_device_seconds_total', unit: 1e6 },
  sessionMs: { name: 'leadline_usage_session_seconds_total', unit: 1e3 },
  clipFrames: { name: 'leadline_usage_clip_frames_total', unit: 1 },
  bytesIn: { name: 'leadline_usage_received_bytes_total', unit: 1 },
  bytesOut: { name: 'leadline_usage_sent_bytes_total', unit: 1 }
} as const satisfies Record<UsageMeasure, object>

/**
 * The same meter, whose registry says what this process has counted since it began. With `byKey` it says it of each key by its id,
 * which is one series more per key and figure.
 */
export function toldMeter(meter: Meter, registry: Registry, byKey: boolean): Meter {
  const counters = Object.entries(figures).map(([measure, { name }]): [UsageMeasure, Counter] => [
    measure as UsageMeasure,
    counter(registry, name)
  ])
  // A counter with a label is told from its first value on.
  if (!byKey) for (const [, one] of counters) one.inc(0)
  const note = ({ amounts, owner }: UsageEntry): void => {
    for (const [measure, one] of counters) {
      const amount = (amounts[measure] ?? 0) / figures[measure].unit
      if (byKey) one.inc({ key: owner ?? '' }, amount)
      else one.inc(amount)
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
