/** A table; the first column is text, the others are figures. Empty without rows. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'))
  return [line(columns), `|${rule.join('|')}|`, ...rows.map(line), '']
}

/** A section, or nothing when its body is empty. */
export function section(heading: string, body: readonly string[]): string[] {
  return body.length === 0 ? [] : [heading, '', ...body]
}

/** Three decimals, without the leading zero, as papers print scores. */
export function score(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(3).replace(/^(-?)0\./, '$1.')
}

export function both(scores: { absRel: number; delta1: number } | undefined): string {
  return scores === undefined ? '–' : `${score(scores.absRel)} / ${score(scores.delta1)}`
}

/** A difference, with its sign. */
export function signed(value: number | undefined): string {
  return value === undefined ? '–' : `${value >= 0 ? '+' : ''}${score(value)}`
}

/** 53450 as "53,450". */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}
