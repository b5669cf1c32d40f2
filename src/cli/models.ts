import path from 'node:path'
import { Command } from 'commander'
import { LeadlineError } from '../errors.ts'
import { addModel, ModelLibrary, verifyGoldens } from '../inference/index.ts'
import { officialLicense } from './official-checkpoints.ts'
import { serviceConfig } from './service-options.ts'
import { positiveInteger } from './stream.ts'

interface AddOptions {
  license?: string
  name?: string
  title?: string
  noncommercial?: boolean
  float32?: boolean
  attendSelf?: boolean
}

export function modelsCommand(): Command {
  return new Command('models')
    .description('The models of this machine.')
    .addCommand(listCommand())
    .addCommand(addCommand())
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
        const { name, title, license, nonCommercial, temporal, weights } = manifest
        const isServed = !nonCommercial || config.allowNonCommercial
        if (json)
          console.log(
            JSON.stringify({ name, title, license, isServed, temporal, digest: weights.sha256, directory })
          )
        else
          console.log(
            `${name}  ${license}  windows ${temporal.cacheSizes.join(', ')}  ${title}${isServed ? '' : '  (not served: see LEADLINE_ALLOW_NONCOMMERCIAL)'}`
          )
      }
      if (models.length === 0) console.error('There is no model yet; add one with "leadline models add".')
    })
}

function addCommand(): Command {
  return new Command('add')
    .description(
      'Add a checkpoint of Video Depth Anything (.pth or .safetensors), official or trained from one.'
    )
    .argument('<file>')
    .option(
      '--license <spdx>',
      'licence of the weights, as an SPDX identifier; known for the official files by their name'
    )
    .option('--name <name>', 'name that clients ask for; default: from the file')
    .option('--title <text>', 'for people; default: the name')
    .option('--noncommercial', 'the licence forbids commercial use; default: whether its identifier says -NC')
    .option('--float32', 'store weights as float32 instead of float16')
    .option('--attend-self', 'frames attend to their own latent; depends on the training')
    .action(async (file: string, options: AddOptions) => {
      const { modelsDirs } = serviceConfig({})
      const fileName = path.parse(file).name
      const license = options.license ?? officialLicense(fileName)
      if (license === undefined) throw licenseNeeded(file)
      const { manifest, directory } = await addModel(file, {
        modelsDir: modelsDirs.at(-1) ?? '.',
        name:
          options.name ??
          path
            .parse(file)
            .name.toLowerCase()
            .replace(/[^a-z0-9._-]+/g, '-'),
        license,
        ...(options.title === undefined ? {} : { title: options.title }),
        ...(options.noncommercial === undefined ? {} : { nonCommercial: options.noncommercial }),
        dtype: options.float32 === true ? 'float32' : 'float16',
        attendSelf: options.attendSelf === true
      })
      console.log(`Added ${manifest.name}: ${directory}`)
      if (manifest.nonCommercial) {
        console.log(
          `Its licence (${manifest.license}) forbids commercial use: it is served with LEADLINE_ALLOW_NONCOMMERCIAL=true only.`
        )
      }
    })
}

function licenseNeeded(file: string): LeadlineError {
  return new LeadlineError(
    'MODEL_LICENSE',
    `${path.basename(file)} does not say under which licence it is; give it with --license, for example --license Apache-2.0`
  )
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
