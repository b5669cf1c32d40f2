import type { Quantity } from '../wire/frame.ts'

const units: Record<Quantity, 'none' | 'metre'> = {
  none: 'none',
  'relative-inverse-depth': 'none',
  'metric-depth': 'metre'
}

/** What values of a quantity are counted in. */
export function unitOf(quantity: Quantity): 'none' | 'metre' {
  return units[quantity]
}
