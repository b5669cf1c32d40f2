import path from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { LeadlineError } from '../errors.ts'
import type { AddFromUrlOptions, FoundNetwork } from '../inference/index.ts'
import { addModel, addModelFromUrl, checkCheckpointFile } from '../inference/index.ts'
import type { Manifest } from '../manifest.ts'
import { untilInterrupted } from './interrupt.ts'
import { isFirstDepthAnything, officialCheckpoint, officialTitle } from './official-checkpoints.ts'
import { createProgress, type Progress } from './progress.ts'
import { serviceConfig } from './service-options.ts'
import { positiveInteger } from './positive-integer.ts'
import { publishedFile, shortNames } from './short-names.ts'

interface AddOptions {
  license?: string
  noncommercial?: boolean
  name?: string
  title?: string
  dtype: 'fp16' | 'fp32'
  streaming?: boolean
  metric?: boolean
  maxDepth?: number
  attendSelf?: boolean
  sha256?: string
  from?: string
  timeout: number
}

export function addCommand(): Command {
  return new Command('add')
    .description(
      'Add a checkpoint of Video Depth Anything or Depth Anything V2, official or trained from one.'
    )
    .argument(
      '<name|path|url>',
      `${shortNames.join(', ')}; or a .pth or .safetensors; from http(s), a download that broke is taken up again`
    )
    .option('--license <spdx>', 'licence of the weights; known for official files by their name')
    .option('--noncommercial', 'the licence forbids commercial use, and yours is permitted')
    .option('--name <name>', 'name that clients ask for; default: from the file')
    .option('--title <text>', 'for people; default: of an official file its own, else the name')
    .addOption(
      new Option('--dtype <type>', 'how weights are stored').choices(['fp16', 'fp32']).default('fp16')
    )
    .option('--streaming', 'give an image network motion modules that change nothing until they are trained')
    .option('--metric', 'it gives metres, not inverse depth; known for official files')
    .option(
      '--max-depth <metres>',
      'it ends in a sigmoid times this; known for official files',
      positiveNumber
    )
    .option('--attend-self', 'frames attend to their own latent; depends on the training')
    .option('--sha256 <hex>', 'refuse a file with another digest', digest)
    .option('--from <url>', 'where to get a file that was given by its short name, such as a mirror')
    .option('--timeout <seconds>', 'longest time without a byte', positiveInteger, 30)
    .action(add)
}

/** A short name is its address, its digest, and itself as the name of the model. */
async function add(given: string, wanted: AddOptions): Promise<void> {
  const published = publishedFile(given)
  if (wanted.from !== undefined && published === undefined)
    throw new LeadlineError('REQUEST_INVALID', `--from goes with a short name: ${shortNames.join(', ')}`)
  if (published === undefined) return addFile(given, wanted)
  const { sha256 = published.sha256 ?? undefined } = wanted
  const digest = sha256 === undefined ? {} : { sha256 }
  await addFile(
    wanted.from ?? published.url,
    { name: given, ...wanted, ...digest },
    fileNameOf(published.url)
  )
  console.log(`Serve it: leadline serve --model ${wanted.name ?? given}`)
}

async function addFile(source: string, options: AddOptions, fileName = fileNameOf(source)): Promise<void> {
  const { addedModelsDir } = serviceConfig({})
  if (addedModelsDir === null) throw homeNeeded()
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(source)
  const wishes = addOptions(fileName, options, addedModelsDir)
  // What is no checkpoint at all has no licence to ask for.
  if (wishes instanceof LeadlineError && !isUrl) await checkCheckpointFile(source)
  if (wishes instanceof LeadlineError) throw wishes
  const { manifest, directory } = isUrl
    ? await addWatched(source, { ...wishes, idleTimeoutMs: options.timeout * 1000 })
    : await addModel(source, wishes)
  console.log(`Added ${manifest.name}: ${directory}`)
  for (const line of remarks(manifest)) console.log(line)
  if (isUrl && options.sha256 === undefined)
    console.log(
      `Its SHA-256 was ${manifest.source?.sha256}; give it with --sha256 to get this very file again.`
    )
}

/**
 * What to add, from the wishes and what is known of the file by its name; MODEL_LICENSE where they do not say what it is
 * under, or consent is missing. Throws MODEL_FILE_INVALID.
 */
function addOptions(
  fileName: string,
  options: AddOptions,
  modelsDir: string
): AddFromUrlOptions | LeadlineError {
  if (isFirstDepthAnything(fileName))
    throw new LeadlineError(
      'MODEL_FILE_INVALID',
      `${fileName} is of the first Depth Anything, which is wired differently; take depth_anything_v2_vits.pth`
    )
  const official = officialCheckpoint(fileName)
  const license = options.license ?? official?.license
  if (license === undefined) return licenseNeeded(fileName)
  if (isNonCommercial(license) && options.noncommercial !== true) return consentNeeded(fileName, license)
  const ownTitle = official && ((found: FoundNetwork) => officialTitle(fileName, official, found))
  const title = options.title ?? ownTitle
  const maxDepthMetres = options.maxDepth ?? official?.maxDepthMetres
  const isMetric = options.metric === true || maxDepthMetres !== undefined
  return {
    modelsDir,
    name: options.name ?? fileName.toLowerCase().replace(/[^a-z0-9._-]+/g, '-'),
    license,
    ...(title === undefined ? {} : { title }),
    nonCommercial: isNonCommercial(license) || (official === undefined && options.noncommercial === true),
    quantity: isMetric ? 'metric-depth' : (official?.quantity ?? 'relative-inverse-depth'),
    ...(maxDepthMetres === undefined ? {} : { maxDepthMetres }),
    dtype: options.dtype === 'fp32' ? 'float32' : 'float16',
    streaming: options.streaming === true,
    attendSelf: options.attendSelf === true,
    ...(options.sha256 === undefined ? {} : { sha256: options.sha256 })
  }
}

function isNonCommercial(license: string): boolean {
  return /-NC\b/i.test(license)
}

function consentNeeded(fileName: string, license: string): LeadlineError {
  return new LeadlineError(
    'MODEL_LICENSE',
    `${fileName} is under ${license}, which forbids commercial use; if yours is permitted, add it with --noncommercial`
  )
}

function homeNeeded(): LeadlineError {
  return new LeadlineError(
    'CONFIG_INVALID',
    'This user has no home folder to keep models in; set LEADLINE_MODELS_DIR to a folder that can be written'
  )
}

function licenseNeeded(fileName: string): LeadlineError {
  return new LeadlineError(
    'MODEL_LICENSE',
    `${fileName} does not say under which licence it is; give it with --license, for example --license Apache-2.0`
  )
}

async function addWatched(url: string, wishes: AddFromUrlOptions) {
  let progress: Progress | null = null
  const onProgress = (bytes: number, totalBytes: number | null) => {
    const total = totalBytes === null ? null : megabytes(totalBytes)
    progress ??= createProgress({ what: 'MB', total, isSilent: false })
    progress.update(megabytes(bytes), wishes.name)
  }
  const stop = () => progress?.stop()
  return untilInterrupted((signal) => addModelFromUrl(url, { ...wishes, onProgress, signal }).finally(stop))
}

/** What the user should know before the first run. */
function* remarks({ quantity, temporal, license, nonCommercial }: Manifest): Generator<string> {
  if (quantity === 'metric-depth') yield 'It gives metres: larger is farther.'
  if (!temporal.modes.includes('ovda'))
    yield 'It sees each frame alone: ask for mode single, or add it with --streaming to train it further.'
  if (nonCommercial)
    yield `Its licence (${license}) forbids commercial use: it is served with LEADLINE_ALLOW_NONCOMMERCIAL=true only.`
}

/** The last part of a path or an address, without extension. */
function fileNameOf(source: string): string {
  const isUrl = URL.canParse(source) && source.includes('://')
  return path.parse(isUrl ? decodedPath(new URL(source)) : source).name
}

function decodedPath({ pathname }: URL): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return pathname
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6)
}

function digest(value: string): string {
  if (!/^[0-9a-f]{64}$/i.test(value)) throw new InvalidArgumentError('It must be 64 hexadecimal digits.')
  return value.toLowerCase()
}

function positiveNumber(value: string): number {
  const number = Number(value)
  if (!(number > 0 && Number.isFinite(number))) throw new InvalidArgumentError('It must be a number above 0.')
  return number
}
