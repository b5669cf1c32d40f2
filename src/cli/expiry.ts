import { InvalidArgumentError } from 'commander'

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Parser of an option that says when something ends: a time from now, or a date. In milliseconds since 1970. */
export function expiryOf(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? []
  if (count !== undefined) return Date.now() + Number(count) * unitMs[unit]!
  const atMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(atMs))
    throw new InvalidArgumentError('It must be as 90d, 12h or 30m, or a date as 2027-01-31.')
  if (atMs <= Date.now()) throw new InvalidArgumentError('It is over already.')
  return atMs
}
