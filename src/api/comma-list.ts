/** A parameter that may hold several values: there once or more, with commas in it or without. Absent stays absent. */
export function commaList(value: unknown): unknown {
  if (value === undefined) return undefined
  return [value]
    .flat()
    .flatMap((item: unknown) =>
      typeof item === 'string' ? item.split(',').map((name) => name.trim()) : [item]
    )
}
