/** What values become: value * scale + offset, and never beyond `floor` and `limit`. */
export interface Line {
  scale: number
  offset: number
  floor: number
  limit: number
}

export const identity: Line = { scale: 1, offset: 0, floor: -Infinity, limit: Infinity }

export function along({ scale, offset, floor, limit }: Line, value: number): number {
  return Math.max(floor, Math.min(limit, value * scale + offset))
}

/** One line after another, as one. The second must rise. */
export function composed(first: Line, second: Line): Line {
  const { scale, offset } = second
  return {
    scale: first.scale * scale,
    offset: first.offset * scale + offset,
    floor: along(second, first.floor),
    limit: along(second, first.limit)
  }
}
