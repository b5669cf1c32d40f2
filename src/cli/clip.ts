import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { isErrorCode, LeadlineError } from '../errors.ts'
import { colormaps } from '../output.ts'
import { clipModes } from '../session.ts'
import { depthFileNames as resultNames } from '../depth-files/index.ts'
import type { CameraWishes } from './camera-options.ts'
import { addCameraOptions } from './camera-options.ts'
import type { RemoteClip } from './clip-client.ts'
import { ClipClient } from './clip-client.ts'
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

/** How often the state of a clip is asked for. */
const pollMs = 500

interface ClipCommandOptions extends SteadinessWishes, CameraWishes, KeyOption {
  url?: string
  model?: string
  mode?: string
  cacheSize?: number
  refine?: boolean
  colormap?: string
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
      'a running server (http://host:port, or a path in it); default: start one for this run'
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
    .option('--json', 'print the last line only')
    .action(async (video: string, options: ClipCommandOptions) => {
      await checkVideoFile(video)
      await makeOutFolder(options.outDir)
      const { clip, files } = await untilInterrupted((signal) => run(video, options, signal))
      const { id, progress, warnings = [], blankFrames = 0 } = clip
      reportWarnings(warnings, options.json === true)
      console.log(JSON.stringify({ clip: id, frames: progress.frames, blank: blankFrames, files, warnings }))
    })
  return addCameraOptions(addSteadinessOptions(addKeyFile(command)))
}

async function run(
  video: string,
  options: ClipCommandOptions,
  signal: AbortSignal
): Promise<{ clip: RemoteClip; files: string[] }> {
  const server = await serverAt(options)
  try {
    const client = new ClipClient(server, signal)
    const clip = await finished(client, await client.create(video, query(options)), {
      signal,
      isSilent: options.json === true
    })
    const files = await download(client, clip, path.join(options.outDir, path.parse(video).name))
    if (options.keep !== true) await client.remove(clip)
    return { clip, files }
  } finally {
    await server.close()
  }
}

function query({ results, ...options }: ClipCommandOptions): URLSearchParams {
  const wanted = new URLSearchParams()
  const { model, mode, cacheSize, refine, colormap, fov, intrinsics } = options
  const camera = { fov, intrinsics: intrinsics?.join(',') }
  const wishes = { model, mode, cacheSize, refine, colormap, ...camera, ...steadinessWishes(options) }
  for (const [name, value] of Object.entries(wishes)) {
    if (value !== undefined) wanted.set(name, String(value))
  }
  for (const name of results?.split(',') ?? []) wanted.append('results', name.trim())
  return wanted
}

async function finished(
  client: ClipClient,
  created: RemoteClip,
  { signal, isSilent }: { signal: AbortSignal; isSilent: boolean }
): Promise<RemoteClip> {
  const progress = createProgress({ what: 'frames', total: created.progress.frameCount, isSilent })
  try {
    let clip = created
    while (clip.state === 'queued' || clip.state === 'running') {
      await sleep(pollMs, undefined, { signal })
      clip = await client.get(clip)
      progress.update(clip.progress.frames, clip.state)
    }
    if (clip.failure === null) return clip
    const { code, detail } = clip.failure
    throw new LeadlineError(isErrorCode(code) ? code : 'INTERNAL', detail)
  } finally {
    progress.stop()
  }
}

/** `walk` and result `npz` become walk.npz, `depth.mp4` becomes walk.depth.mp4. */
async function download(client: ClipClient, clip: RemoteClip, stem: string): Promise<string[]> {
  const files: string[] = []
  for (const [name, link] of Object.entries(clip.links.results)) {
    files.push(`${stem}.${name}`)
    await client.download(link, `${stem}.${name}`)
  }
  return files
}
