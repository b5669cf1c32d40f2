import { createHash } from 'node:crypto'
import { createWriteStream, openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { Command, Option } from 'commander'
import type { Clip, ClipWishes, ResultName } from '../client/clips/index.ts'
import { ClipsClient } from '../client/clips/index.ts'
import { LeadlineError } from '../errors.ts'
import type { Colormap } from '../wire/output.ts'
import { colormaps } from '../wire/output.ts'
import type { ClipMode } from '../session.ts'
import { clipModes } from '../session.ts'
import { depthFileNames as resultNames } from '../depth-files/index.ts'
import type { CameraWishes } from './camera-options.ts'
import { addCameraOptions } from './camera-options.ts'
import { linesOfClip, sayLast } from './final-lines.ts'
import { untilInterrupted } from './interrupt.ts'
import { makeOutFolder } from './out-folder.ts'
import { serverAt } from './own-server.ts'
import { createProgress } from './progress.ts'
import { addKeyFile } from './server-key.ts'
import type { KeyOption } from './server-key.ts'
import type { SteadinessWishes } from './steadiness-options.ts'
import { addSteadinessOptions, steadinessWishes } from './steadiness-options.ts'
import { positiveInteger } from './positive-integer.ts'
import { checkVideoFile } from './video-file.ts'
import { reportWarnings } from './video-warnings.ts'

interface ClipCommandOptions extends SteadinessWishes, CameraWishes, KeyOption {
  url?: string
  model?: string
  mode?: ClipMode
  cacheSize?: number
  refine?: boolean
  colormap?: Colormap
  results?: string
  outDir: string
  keep?: boolean
  json?: boolean
}

export function clipCommand(): Command {
  const command = new Command('clip')
    .description('Upload a video to a server, wait, and download its depth.')
    .argument('<video>', 'any video that ffmpeg reads')
    .option(
      '--url <address>',
      'a running server (host:port, http(s)://… or ws(s)://…, a path in it too); default: start one for this run'
    )
    .option('--model <name>', 'default: the server’s')
    .addOption(
      new Option(
        '--mode <mode>',
        'online (default): frame by frame; offline: in windows that see past and future; or a mode'
      ).choices(clipModes)
    )
    .option('--cache-size <frames>', 'frames in the window; default: the model’s', positiveInteger)
    .option('--refine', 'depth as large as the video, its edges as sharp as those of the picture')
    .addOption(new Option('--colormap <name>', 'of the videos; default: turbo').choices(colormaps))
    .option(
      '--results <names>',
      `with commas between: ${resultNames.join(', ')}; default: depth.mp4,side-by-side.mp4`
    )
    .option('--out-dir <folder>', 'where the results go', '.')
    .option('--keep', 'leave the clip on the server')
    .option('--json', 'the summary as JSON, as it is where the output is no terminal, and nothing else')
    .action(async (video: string, options: ClipCommandOptions) => {
      await checkVideoFile(video)
      await makeOutFolder(options.outDir)
      const { clip, files } = await untilInterrupted((signal) => run(video, options, signal))
      const { id, progress, warnings = [], blankFrames = 0 } = clip
      reportWarnings(warnings, options.json === true)
      sayLast({
        lines: linesOfClip(clip, files),
        document: { clip: id, frames: progress.frames, blank: blankFrames, files, warnings },
        isJson: options.json === true
      })
    })
  return addCameraOptions(addSteadinessOptions(addKeyFile(command)))
}

async function run(
  video: string,
  options: ClipCommandOptions,
  signal: AbortSignal
): Promise<{ clip: Clip; files: string[] }> {
  const server = await serverAt(options)
  try {
    const clips = new ClipsClient(server)
    const isSilent = options.json === true
    const created = await sent(clips, video, { wishes: wishesOf(options), signal, isSilent })
    const clip = await finished(clips, created, { signal, isSilent })
    const files = await download(clips, clip, {
      stem: path.join(options.outDir, path.parse(video).name),
      signal
    })
    if (options.keep !== true) await clips.remove(clip, { signal })
    return { clip, files }
  } finally {
    await server.close()
  }
}

function wishesOf({ results, ...options }: ClipCommandOptions): ClipWishes {
  const { model, mode, cacheSize, refine, colormap, fov, intrinsics } = options
  const run = { model, mode, cacheSize, refine, colormap, fov, intrinsics }
  const wishes = { ...run, ...steadinessWishes(options) }
  const given = Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined))
  // The server says which there are.
  return results === undefined
    ? given
    : { ...given, results: results.split(',').map((name) => name.trim() as ResultName) }
}

interface Sending {
  wishes: ClipWishes
  signal: AbortSignal
  isSilent: boolean
}

/** A file of which a command before has sent a part is gone on with. */
async function sent(clips: ClipsClient, video: string, { wishes, signal, isSilent }: Sending): Promise<Clip> {
  const { size, mtimeMs } = await stat(video)
  const resumeKey = createHash('sha256')
    .update(JSON.stringify([path.resolve(video), size, mtimeMs, wishes]))
    .digest('base64url')
  const progress = createProgress({ what: 'MiB', total: mebibytes(size), isSilent })
  try {
    return await clips.create(await openAsBlob(video), {
      ...{ ...wishes, resumeKey, signal },
      onProgress: (bytes) => progress.update(mebibytes(bytes), 'sending')
    })
  } finally {
    progress.stop()
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}

async function finished(
  clips: ClipsClient,
  created: Clip,
  { signal, isSilent }: { signal: AbortSignal; isSilent: boolean }
): Promise<Clip> {
  const progress = createProgress({ what: 'frames', total: created.progress.frameCount, isSilent })
  try {
    const onState = ({ state, progress: { frames } }: Clip) => progress.update(frames, state)
    return await clips.finished(created, { onState, signal })
  } finally {
    progress.stop()
  }
}

/** `walk` and result `npz` become walk.npz, `depth.mp4` becomes walk.depth.mp4. */
async function download(
  clips: ClipsClient,
  clip: Clip,
  { stem, signal }: { stem: string; signal: AbortSignal }
): Promise<string[]> {
  const files: string[] = []
  for (const name of clip.results) {
    const file = `${stem}.${name}`
    files.push(file)
    const { body } = await clips.openResult(clip, name, { signal })
    if (body === null) throw new LeadlineError('CONNECTION_LOST', `${name} came without a body`)
    await pipeline(Readable.fromWeb(body as ReadableStream), createWriteStream(file), { signal })
  }
  return files
}
