/** What values become: value * scale + offset, and never beyond `floor` and `limit`. */
export interface AffineMap {
  scale: number
  offset: number
  floor: number
  limit: number
}

export const identity: AffineMap = { scale: 1, offset: 0, floor: -Infinity, limit: Infinity }

export function along({ scale, offset, floor, limit }: AffineMap, value: number): number {
  return Math.max(floor, Math.min(limit, value * scale + offset))
}

/** One line after another, as one. The second must rise. */
export function composed(first: AffineMap, second: AffineMap): AffineMap {
  const { scale, offset } = second
  return {
    scale: first.scale * scale,
    offset: first.offset * scale + offset,
    floor: along(second, first.floor),
    limit: along(second, first.limit)
  }
}
