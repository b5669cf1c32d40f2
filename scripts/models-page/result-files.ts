import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Static, TSchema } from 'typebox'
import Type from 'typebox'
import Value from 'typebox/value'
import { evaluationRecordSchema } from '../../src/cli/eval/record.ts'
import type { EvaluationRecord } from '../../src/cli/eval/record.ts'

/** What models/NAME/results/ may hold, one JSON object a line. Every file may be absent. */

const scoresSchema = Type.Object({ absRel: Type.Number(), delta1: Type.Number() })
export type Scores = Static<typeof scoresSchema>

const videoSchema = Type.Object({
  first: scoresSchema,
  global: scoresSchema,
  gap: scoresSchema,
  flicker: Type.Number()
})
export type VideoScores = Static<typeof videoSchema>

/** Written by leadline_models.learning_curve. */
const curveRowSchema = Type.Object({
  images: Type.Number(),
  cpuMinutes: Type.Number(),
  lowerBound: Type.Number(),
  stills: scoresSchema,
  clips: scoresSchema,
  rgbd: Type.Optional(scoresSchema)
})
export type CurveRow = Static<typeof curveRowSchema>

/** Written by leadline_models.ablate: a row per training, in it one video score per way of streaming. */
const ablationRowSchema = Type.Object({
  row: Type.String(),
  start: Type.Object({ steps: Type.Number(), lowerBound: Type.Number() }),
  stills: scoresSchema,
  single: videoSchema
})
export type AblationRow = Static<typeof ablationRowSchema> & {
  streamed: { mode: string; video: VideoScores }[]
}

/** Any measure beside what it compares with, as the benches print it. */
const figureSchema = Type.Object({
  name: Type.String(),
  value: Type.Number(),
  unit: Type.String(),
  ratio: Type.Union([Type.Number(), Type.Null()]),
  to: Type.Optional(Type.Union([Type.String(), Type.Null()]))
})
export type Figure = Static<typeof figureSchema>

/** Written by scripts/models-pictures.ts. */
const pictureSchema = Type.Object({
  clip: Type.String(),
  /** In docs/, with slashes. */
  file: Type.String(),
  rows: Type.Array(Type.String()),
  /** Numbers of the frames shown, from 0. */
  frames: Type.Array(Type.Integer()),
  /** Frames of the whole clip, all of which the model saw. */
  clipFrames: Type.Integer(),
  mode: Type.String(),
  cacheSize: Type.Union([Type.Integer(), Type.Null()]),
  digest: Type.String()
})
export type Picture = Static<typeof pictureSchema>

export interface ResultFiles {
  evaluations: EvaluationRecord[]
  learningCurve: CurveRow[]
  ablation: AblationRow[]
  int8: Figure[]
  pictures: Picture[]
}

/** Throws with file and line when a line is not what its file holds. */
export async function readResults(folder: string): Promise<ResultFiles> {
  const read = <T extends TSchema>(name: string, schema: T) => readLines(path.join(folder, name), schema)
  return {
    evaluations: latest(await read('eval.jsonl', evaluationRecordSchema)),
    learningCurve: (await read('learning-curve.jsonl', curveRowSchema)).sort((a, b) => a.images - b.images),
    ablation: (await read('ablation.jsonl', ablationRowSchema)).map(withStreamed),
    int8: await read('int8.jsonl', figureSchema),
    pictures: await read('pictures.jsonl', pictureSchema)
  }
}

async function readLines<T extends TSchema>(file: string, schema: T): Promise<Static<T>[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line, i) => {
    const row: unknown = JSON.parse(line)
    const [error] = Value.Errors(schema, row)
    if (error) throw new Error(`${file}, line ${i + 1}: ${error.instancePath} ${error.message}`)
    return row as Static<T>
  })
}

/** Of several runs of one thing the last: a file that is only added to stays true. */
function latest(records: readonly EvaluationRecord[]): EvaluationRecord[] {
  const key = ({ model, data, mode, cacheSize, options, fit }: EvaluationRecord) =>
    JSON.stringify([model, data, mode, cacheSize, options, fit])
  return [...new Map(records.map((record) => [key(record), record])).values()]
}

/** "ovda-c4" and its like are columns of the file, and rows of the table. */
function withStreamed(row: Static<typeof ablationRowSchema>): AblationRow {
  const streamed = Object.entries(row as Record<string, unknown>)
    .filter((entry): entry is [string, VideoScores] => Value.Check(videoSchema, entry[1]))
    .map(([mode, video]) => ({ mode, video }))
  return { ...row, streamed }
}
