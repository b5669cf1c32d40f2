import type { CurveRow, Scores } from './result-files.ts'

const width = 720
const height = 260
const panel = { top: 30, bottom: 46, left: 48, gap: 56, right: 16 }
const colors = { stills: '#1f77b4', clips: '#d62728', rgbd: '#2ca02c' } as const
const names = { stills: 'hold-out stills', clips: 'hold-out clips', rgbd: 'RGB-D frames' } as const
type Part = keyof typeof colors

interface Frame {
  left: number
  right: number
  low: number
  high: number
}

/**
 * Two panels, AbsRel and delta1 against images seen, as SVG. Only what was measured at the shorter side `lowerBound`, in
 * pixels, is joined: elsewhere the same network scores otherwise. Null when there are not two points to join.
 */
export function learningCurve(measured: readonly CurveRow[], lowerBound: number): string | null {
  const rows = measured.filter((row) => row.lowerBound === lowerBound)
  if (new Set(rows.map(({ images }) => images)).size < 2) return null
  const panelWidth = (width - panel.left - panel.right - panel.gap) / 2
  const panels = (['absRel', 'delta1'] as const).map((figure, i) => {
    const left = panel.left + i * (panelWidth + panel.gap)
    return drawPanel(rows, figure, left, left + panelWidth)
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels,
    ...legend(rows),
    '</svg>',
    ''
  ].join('\n')
}

function drawPanel(rows: readonly CurveRow[], figure: keyof Scores, left: number, right: number): string {
  const values = parts(rows).flatMap((part) => series(rows, part).map(({ scores }) => scores[figure]))
  const low = Math.floor(Math.min(...values) * 20) / 20
  const high = Math.max(low + 0.05, Math.ceil(Math.max(...values) * 20) / 20)
  const frame: Frame = { left, right, low, high }
  const most = Math.max(...rows.map(({ images }) => images))
  const title = figure === 'absRel' ? 'AbsRel (lower is better)' : 'delta1 (higher is better)'
  const lines = parts(rows).map((part) => {
    const points = series(rows, part).map(({ images, scores }) => [
      place(images / most, frame),
      rise(scores[figure], frame)
    ])
    const joined = points.map(([x, y]) => `${x},${y}`).join(' ')
    const dots = points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.5" fill="${colors[part]}"/>`)
    return `<polyline points="${joined}" fill="none" stroke="${colors[part]}" stroke-width="1.5"/>${dots.join('')}`
  })
  return [`<text x="${left}" y="18" font-weight="bold">${title}</text>`, ...axes(frame, most), ...lines].join(
    '\n'
  )
}

function axes(frame: Frame, most: number): string[] {
  const { left, right, low, high } = frame
  const ticks = [low, (low + high) / 2, high].map((value) => {
    const y = rise(value, frame)
    return (
      `<line x1="${left}" y1="${y}" x2="${right}" y2="${y}" stroke="#ddd"/>` +
      `<text x="${left - 5}" y="${y + 4}" text-anchor="end">${value.toFixed(3)}</text>`
    )
  })
  const bottom = height - panel.bottom + 14
  const labels = [0, 0.5, 1].map(
    (share) =>
      `<text x="${place(share, frame)}" y="${bottom}" text-anchor="middle">${Math.round((share * most) / 1000)}k</text>`
  )
  return [...ticks, ...labels]
}

function legend(rows: readonly CurveRow[]): string[] {
  const y = height - 10
  const entries = parts(rows).map((part, i) => {
    const x = panel.left + 110 * (i + 1)
    return `<rect x="${x}" y="${y - 8}" width="9" height="9" fill="${colors[part]}"/><text x="${x + 14}" y="${y}">${names[part]}</text>`
  })
  return [`<text x="${panel.left}" y="${y}">images seen</text>`, ...entries]
}

function parts(rows: readonly CurveRow[]): Part[] {
  return (Object.keys(colors) as Part[]).filter((part) => rows.some((row) => row[part] !== undefined))
}

function series(rows: readonly CurveRow[], part: Part): { images: number; scores: Scores }[] {
  return rows.flatMap((row) => {
    const scores = row[part]
    return scores === undefined ? [] : [{ images: row.images, scores }]
  })
}

/** Pixels from the left, of a share of the x axis. */
function place(share: number, { left, right }: Frame): number {
  return tenth(left + share * (right - left))
}

/** Pixels from the top, of a value. */
function rise(value: number, { low, high }: Frame): number {
  const bottom = height - panel.bottom
  return tenth(bottom - ((value - low) / (high - low)) * (bottom - panel.top))
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10
}
