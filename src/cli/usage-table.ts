import { textTable } from './text-table.ts'

/** What the server says of a key and a day; openapi.yaml describes it. */
export interface RemoteUsage {
  day: string
  key: string | null
  name: string | null
  frames: number
  megapixels: number
  deviceMs: number
  sessionSeconds: number
  clipFrames: number
  bytesIn: number
  bytesOut: number
}

const head = ['day', 'key', 'frames', 'megapixels', 'device', 'sessions', 'clip frames', 'in', 'out']

/** For people: a line of heads, one for each key and day, and one of their sums. */
export function usageTable(usage: readonly RemoteUsage[]): string[] {
  const rows = usage.map((one) => [one.day, one.name ?? one.key ?? '-', ...cells(one)])
  return textTable(head, usage.length > 1 ? [...rows, ['all', '', ...cells(sumOf(usage))]] : rows)
}

const columns = [
  ...(['day', 'key', 'name', 'frames', 'megapixels', 'deviceMs', 'sessionSeconds'] as const),
  ...(['clipFrames', 'bytesIn', 'bytesOut'] as const)
] as const satisfies (keyof RemoteUsage)[]

/** Lines of a table for other programs (RFC 4180), with a head. */
export function usageCsv(usage: readonly RemoteUsage[]): string[] {
  return [columns.join(','), ...usage.map((one) => columns.map((name) => csvField(one[name])).join(','))]
}

/** A name may have any character; a spreadsheet must not take it for a formula. */
function csvField(value: string | number | null): string {
  if (typeof value === 'number') return String(value)
  const text = value === null ? '' : /^[=+\-@]/.test(value) ? `'${value}` : value
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

type Figures = Omit<RemoteUsage, 'day' | 'key' | 'name'>

function sumOf(usage: readonly Figures[]): Figures {
  const sum = (name: keyof Figures): number => usage.reduce((all, one) => all + one[name], 0)
  return {
    ...{ frames: sum('frames'), megapixels: sum('megapixels'), deviceMs: sum('deviceMs') },
    ...{ sessionSeconds: sum('sessionSeconds'), clipFrames: sum('clipFrames') },
    ...{ bytesIn: sum('bytesIn'), bytesOut: sum('bytesOut') }
  }
}

function cells({
  frames,
  megapixels,
  deviceMs,
  sessionSeconds,
  clipFrames,
  bytesIn,
  bytesOut
}: Figures): string[] {
  const seconds = (value: number): string => `${value.toFixed(1)} s`
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  return [
    ...[String(frames), megapixels.toFixed(1), seconds(deviceMs / 1000), seconds(sessionSeconds)],
    ...[String(clipFrames), mib(bytesIn), mib(bytesOut)]
  ]
}
