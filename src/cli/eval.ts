import { Command, Option } from 'commander'
import type { Mode } from '../session.ts'
import { modes } from '../session.ts'
import { evaluate } from './eval/evaluate.ts'
import { serviceConfig, serviceLog } from './service-options.ts'
import { positiveInteger } from './stream.ts'

interface EvalCommandOptions {
  data: string
  model?: string
  fit: 'first' | 'global'
  mode: Mode
  cacheSize?: number
}

export function evalCommand(): Command {
  return new Command('eval')
    .description('Score a model on a sequence with known depth, as the oVDA paper does.')
    .requiredOption(
      '--data <folder>',
      'color/NAME.jpg and depth/NAME.png (16 bit, millimetres, 0 = unknown), in order of names'
    )
    .option('--model <name>', 'default: LEADLINE_MODEL')
    .addOption(
      new Option('--fit <frames>', 'where scale and shift come from')
        .choices(['first', 'global'])
        .default('global')
    )
    .addOption(new Option('--mode <mode>').choices(modes).default('ovda'))
    .option('--cache-size <frames>', 'frames in the window; default: the model’s', positiveInteger)
    .addHelpText(
      'after',
      '\nPrints absRel, delta1 and flicker as JSON. Frame 0 is fitted, not scored. Lower absRel and flicker are better.'
    )
    .action(async ({ data, model, fit, mode, cacheSize }: EvalCommandOptions) => {
      const config = serviceConfig(model === undefined ? {} : { model })
      const log = serviceLog(process.env['LEADLINE_LOG_LEVEL'] === undefined ? 'warn' : config.logLevel)
      const score = await evaluate({
        data,
        fit,
        config,
        log,
        options: { mode, cacheSize: cacheSize ?? null }
      })
      console.log(JSON.stringify(score, rounded))
    })
}

/** Four decimals: more would be noise. */
function rounded(_name: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10_000) / 10_000 : value
}
