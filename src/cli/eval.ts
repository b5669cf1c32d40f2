import path from 'node:path'
import { Command, Option } from 'commander'
import type { Mode } from '../session.ts'
import { modes } from '../session.ts'
import type { Layout } from './eval/datasets/layout.ts'
import { detectLayout, layouts, readDataset } from './eval/datasets/layout.ts'
import type { ModelRun } from './eval/evaluate.ts'
import { evaluate, withModel } from './eval/evaluate.ts'
import { appendRecord, describeRun, figuresLine } from './eval/record.ts'
import { meanScore } from './eval/scoring/mean-score.ts'
import type { FitOn, SequenceScore } from './eval/scoring/score-sequence.ts'
import { fitChoices } from './eval/scoring/score-sequence.ts'
import { checkFolderOf } from './depth-outputs.ts'
import { serviceConfig, serviceLog } from './service-options.ts'
import { positiveInteger } from './positive-integer.ts'

interface EvalCommandOptions {
  data: string
  layout?: Layout
  model?: string
  fit: FitOn
  mode: Mode
  cacheSize?: number
  json?: string
  sceneCut?: boolean
  stabilize?: boolean
}

export function evalCommand(): Command {
  return new Command('eval')
    .description('Score a model on sequences with known depth, as the oVDA paper does.')
    .requiredOption(
      '--data <folder>',
      'a data set, or color/NAME.jpg and depth/NAME.png (16 bit, millimetres)'
    )
    .addOption(
      new Option('--layout <layout>', 'how the folder is laid out; default: found out').choices(layouts)
    )
    .option('--model <name>', 'default: LEADLINE_MODEL')
    .addOption(new Option('--mode <mode>').choices(modes).default('ovda'))
    .option('--cache-size <frames>', 'frames in the window; default: the model’s', positiveInteger)
    .addOption(
      new Option('--fit <frames>', 'where scale and shift come from; none: nowhere, for metric models')
        .choices(fitChoices)
        .default('global')
    )
    .option('--scene-cut', 'forget the past where the video cuts to another scene')
    .option('--stabilize', 'hold scale and shift of depth steady')
    .option('--json <file>', 'add a line with the result, and what was scored, to this file')
    .addHelpText('after', help)
    .action(run)
}

const help = `
Prints a line per sequence when there are several, and last the mean over sequences, as JSON: absRel, delta1 and flicker,
then firstAbsRel (fit on the first frame), gap (what that adds: drift) and tae (temporal alignment error in per cent,
where there are poses; truthTae: that of the true depth). Frame 0 is fitted, not scored. Lower is better, but for delta1.`

async function run(options: EvalCommandOptions): Promise<void> {
  if (options.json !== undefined) await checkFolderOf(options.json)
  const layout = options.layout ?? (await detectLayout(options.data))
  const sequences = await readDataset(options.data, layout)
  const config = serviceConfig(options.model === undefined ? {} : { model: options.model })
  const log = serviceLog(process.env['LEADLINE_LOG_LEVEL'] === undefined ? 'warn' : config.logLevel)
  await withModel(config, log, async ({ model, executor }: ModelRun) => {
    const { mode, cacheSize = null, sceneCut = false, stabilize = false } = options
    const sequenceOptions = { mode, cacheSize, sceneCut, stabilize }
    const scores: SequenceScore[] = []
    const run = { sequences, fit: options.fit, model, executor, options: sequenceOptions }
    for await (const { sequence, score } of evaluate(run)) {
      scores.push(score)
      if (sequences.length > 1) console.log(figuresLine({ sequence, ...score }))
    }
    const summary = meanScore(scores)
    if (options.json !== undefined) {
      const data = path.basename(path.resolve(options.data))
      await appendRecord(options.json, {
        ...{ data, layout, ...describeRun(model, sequenceOptions), fit: options.fit, ...summary }
      })
    }
    console.log(figuresLine(summary))
  })
}
