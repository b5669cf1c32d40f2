import { Command } from 'commander'
import { LeadlineError } from '../errors.ts'
import { ModelLibrary, verifyGoldens } from '../inference/index.ts'
import type { Manifest } from '../manifest.ts'
import { addCommand } from './models-add.ts'
import { compileCommand } from './models-compile.ts'
import { removeCommand } from './models-remove.ts'
import { serviceConfig } from './service-options.ts'
import { positiveInteger } from './positive-integer.ts'

export function modelsCommand(): Command {
  return new Command('models')
    .description('The models of this machine.')
    .addCommand(listCommand())
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .addCommand(compileCommand())
    .addCommand(verifyCommand())
}

function listCommand(): Command {
  return new Command('list')
    .description('Models that are here, one a line.')
    .option('--json', 'as JSON lines')
    .action(async ({ json }: { json?: boolean }) => {
      const config = serviceConfig({})
      const models = (await ModelLibrary.open(config)).list()
      for (const { manifest, directory } of models) {
        const { name, title, license, nonCommercial, quantity, temporal, weights } = manifest
        const isServed = !nonCommercial || config.allowNonCommercial
        if (json)
          console.log(
            JSON.stringify({
              ...{ name, title, license, isServed, quantity, temporal },
              ...{ digest: weights.sha256, directory }
            })
          )
        else
          console.log(
            `${name}  ${license}  ${streaming(temporal)}  ${title}${quantity === 'metric-depth' ? ', in metres' : ''}${isServed ? '' : '  (not served: see LEADLINE_ALLOW_NONCOMMERCIAL)'}`
          )
      }
      if (models.length === 0) console.error('There is no model yet; add one with "leadline models add".')
    })
}

function streaming({ modes, cacheSizes }: Manifest['temporal']): string {
  return modes.includes('ovda') ? `windows ${cacheSizes.join(', ')}` : 'single frames'
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('Run the network of a golden folder and compare with the outputs in it.')
    .argument('<folder>', 'config.json, checkpoint.pth, frames_*.npy, depth_*.npy')
    .option('--threads <number>', 'threads of the executor', positiveInteger, 1)
    .action(async (folder: string, { threads }: { threads: number }) => {
      const results = await verifyGoldens(
        folder,
        (result) => {
          const words =
            result.outcome === 'skipped'
              ? result.reason
              : `${result.frames} frames, largest error ${result.maxAbsolute.toExponential(1)} absolute, ${result.maxRelative.toExponential(1)} relative`
          console.log(`${result.outcome.padEnd(9)} ${result.mode} ${result.height}x${result.width}: ${words}`)
        },
        { threads }
      )
      const numDifferent = results.filter(({ outcome }) => outcome === 'different').length
      if (numDifferent > 0)
        throw new LeadlineError('MODEL_FILE_INVALID', `${numDifferent} of ${results.length} goldens differ`)
    })
}
