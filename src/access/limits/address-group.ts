import { isIPv6 } from 'node:net'

/**
 * What counts as one address: of IPv6 the first 64 bits, since whoever has one has all behind them (RFC 4291, 2.5.4). An IPv4
 * address in IPv6's form is that address.
 */
export function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address
  const [head = '', tail] = address.replace(/%.*$/, '').toLowerCase().split('::')
  const [front, back] = [head.split(':').filter(Boolean), tail?.split(':').filter(Boolean) ?? []]
  const zeros = Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`
}
