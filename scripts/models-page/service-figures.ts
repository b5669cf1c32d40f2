import type { EvaluationRecord } from '../../src/cli/eval/record.ts'
import { both, score, section, signed, table } from './markdown.ts'

const columns = [
  'data',
  'run as',
  'AbsRel / delta1',
  'first frame’s fit',
  'gap',
  'flicker',
  'TAE %',
  'frames'
]

/** What `leadline eval` measured. Rows of other weights than `digest` are marked. */
export function serviceFigures(records: readonly EvaluationRecord[], digest: string): string[] {
  const rows = records.filter(({ fit }) => fit === 'global').map((record) => row(record, digest))
  const hasStale = records.some((record) => record.digest !== digest)
  const note = [
    'Measured by `leadline eval`, through the engine that serves: decoding, resizing, ONNX Runtime. Fit over all frames of',
    'a sequence unless said; means over sequences. Gap: AbsRel with the first frame’s fit minus that with the fit over all,',
    'which is drift. TAE: temporal alignment error, in brackets that of the true depth. Stills are fitted one by one.',
    ...(hasStale ? ['† Measured with earlier weights.'] : []),
    ''
  ]
  return section('### Figures of the service', rows.length === 0 ? [] : [...note, ...table(columns, rows)])
}

function row(record: EvaluationRecord, digest: string): string[] {
  const { data, frames, sequences, absRel, delta1, firstAbsRel, firstDelta1, gap, flicker } = record
  const { mode, cacheSize, options } = record
  const run = [cacheSize === null ? mode : `${mode} c${cacheSize}`, options].filter(Boolean).join(', ')
  const isStills = frames === sequences
  const tae = record.tae === null ? '–' : `${record.tae.toFixed(2)} (${(record.truthTae ?? NaN).toFixed(2)})`
  return [
    record.digest === digest ? data : `${data} †`,
    run,
    both({ absRel, delta1 }),
    isStills ? '–' : both({ absRel: firstAbsRel, delta1: firstDelta1 }),
    isStills ? '–' : signed(gap),
    isStills ? '–' : score(flicker),
    tae,
    sequences === 1 ? String(frames) : `${frames} in ${sequences}`
  ]
}
