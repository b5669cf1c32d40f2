import { appendFile } from 'node:fs/promises'
import path from 'node:path'
import type { Static } from 'typebox'
import Type from 'typebox'
import { LeadlineError } from '../../errors.ts'
import type { SequenceOptions, ServedModel } from '../../inference/index.ts'
import { sessionPlan } from '../../inference/index.ts'

const figure = Type.Number()
const figureOrNull = Type.Union([Type.Number(), Type.Null()])

/** One run of `leadline eval`, as `--json` keeps it: what was scored, how, and the mean over its sequences. */
export const evaluationRecordSchema = Type.Object({
  model: Type.String(),
  /** SHA-256 of the weights: figures of other weights can be told apart. */
  digest: Type.String(),
  /** Name of the data folder. */
  data: Type.String(),
  layout: Type.String(),
  mode: Type.String(),
  /** Frames in the window; null for a mode that has no choice of it. */
  cacheSize: Type.Union([Type.Integer(), Type.Null()]),
  /** Further options, in words; empty where all are at their defaults. */
  options: Type.String(),
  fit: Type.String(),
  absRel: figure,
  delta1: figure,
  flicker: figure,
  frames: Type.Integer(),
  firstAbsRel: figure,
  firstDelta1: figure,
  gap: figure,
  tae: figureOrNull,
  truthTae: figureOrNull,
  sequences: Type.Integer()
})
export type EvaluationRecord = Static<typeof evaluationRecordSchema>

/** What of a record says which model ran, and how. Throws MODEL_MODE_UNSUPPORTED. */
export function describeRun(
  model: ServedModel,
  run: SequenceOptions
): Pick<EvaluationRecord, 'model' | 'digest' | 'mode' | 'cacheSize' | 'options'> {
  const { name, weights } = model.manifest
  const cacheSize = run.mode === 'ovda' ? sessionPlan(model, run).cacheSize : null
  return { model: name, digest: weights.sha256, mode: run.mode, cacheSize, options: wishesOf(run, model) }
}

function wishesOf({ sceneCut, stabilize }: SequenceOptions, { precision }: ServedModel): string {
  const wishes = { int8: precision === 'int8', sceneCut, stabilize }
  return Object.entries(wishes)
    .filter(([, isWanted]) => isWanted === true)
    .map(([name]) => name)
    .join(' ')
}

/** JSON in one line, numbers to four decimals: more would be noise. */
export function figuresLine(figures: object): string {
  return JSON.stringify(figures, (_name, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 10_000) / 10_000 : value
  )
}

/** Adds a line to the file, which is made when it is not there. Throws REQUEST_INVALID. */
export async function appendRecord(file: string, record: EvaluationRecord): Promise<void> {
  await appendFile(file, `${figuresLine(record)}\n`).catch((cause: unknown) => {
    const folder = path.dirname(path.resolve(file))
    throw new LeadlineError(
      'REQUEST_INVALID',
      `${file} cannot be written; check that the folder ${folder} exists`,
      { cause }
    )
  })
}
