/** Of pino, by number. */
const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal'
}
/** What every line has, or is said otherwise. */
const known = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'err', 'part', 'reqId'])

/** A JSON line of the log as people read it, on one line: when, how bad, what, and the facts. */
export function logLine(json: string): string {
  const record = JSON.parse(json) as Record<string, unknown> & { level: number; time: number; msg?: string }
  const { err, level, msg = '', part, time } = record
  const facts = Object.entries(record)
    .filter(([name]) => !known.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const cause = typeof err === 'object' && err !== null && 'message' in err ? [String(err.message)] : []
  const said = [typeof part === 'string' ? `${part}: ${msg}` : msg, ...cause].join(': ')
  const line = [
    new Date(time).toISOString().slice(11, 19),
    (levels[level] ?? String(level)).padEnd(5),
    said,
    ...facts
  ]
  return line.join(' ').replace(/\s*\n\s*/g, ' ')
}
