import { Command, InvalidArgumentError, Option } from 'commander'
import { LeadlineError } from '../errors.ts'
import type { SessionConfig } from '../session.ts'
import { outputSizes } from '../output.ts'
import { deliveries, liveModes } from '../session.ts'
import { frameCodecs } from './frame-encoder.ts'
import type { FrameCodec } from './frame-encoder.ts'
import { positiveInteger } from './positive-integer.ts'
import { addKeyFile } from './server-key.ts'
import type { KeyOption } from './server-key.ts'
import type { SteadinessWishes } from './steadiness-options.ts'
import { addSteadinessOptions, steadinessWishes } from './steadiness-options.ts'
import { streamVideo } from './stream-video.ts'
import { fileSource } from './video-source.ts'

interface StreamCommandOptions extends SteadinessWishes, KeyOption {
  out?: string
  sideBySide?: string
  url?: string
  model?: string
  mode?: NonNullable<SessionConfig['mode']>
  cacheSize?: number
  delivery: NonNullable<SessionConfig['delivery']>
  size: (typeof outputSizes)[number]
  refine?: boolean
  format: 'u16' | 'f16' | 'f32'
  codec: FrameCodec
  inFlight?: number
  saveContext?: string
  context?: string
  record?: string
  json?: boolean
}

export function streamCommand(): Command {
  const command = new Command('stream')
    .description('Send a video frame by frame over a WebSocket and receive its depth.')
    .argument('<video>', 'any video that ffmpeg reads')
    .option('--out <file.mp4>', 'write depth in colours', mp4File)
    .option('--side-by-side <file.mp4>', 'write source and depth beside each other', mp4File)
    .option(
      '--url <address>',
      'a running server (ws://host:port, or a path in it); default: start one for this run'
    )
    .option('--model <name>', 'default: the server’s')
    .addOption(new Option('--mode <mode>', 'default: ovda').choices(liveModes))
    .option('--cache-size <frames>', 'frames in the window; default: the model’s', positiveInteger)
    .addOption(
      new Option('--delivery <kind>', 'latest plays at the video’s own speed')
        .choices(deliveries)
        .default('lossless')
    )
    .addOption(
      new Option('--size <size>', 'resolution of a depth map').choices(outputSizes).default('network')
    )
    .addOption(
      new Option(
        '--refine',
        'edges of depth as sharp as those of the picture; goes with --size source'
      ).implies({
        size: 'source'
      })
    )
    .addOption(
      new Option('--format <format>', 'values of a depth map').choices(['u16', 'f16', 'f32']).default('u16')
    )
    .addOption(new Option('--codec <codec>', 'how frames are sent').choices(frameCodecs).default('jpeg'))
    .option(
      '--in-flight <frames>',
      'frames on their way at once; default: what the server allows',
      positiveInteger
    )
    .option(
      '--save-context <file>',
      'at the end, write what another stream goes on from; it shows pictures of the video'
    )
    .option('--context <file>', 'go on from what --save-context wrote, with its model, mode and window')
    .option('--record <file>', 'keep what goes over the socket, for "leadline replay"; it shows the video')
    .option('--json', 'print the last line only')
    .action(async (video: string, options: StreamCommandOptions) => {
      const { firstError, ...summary } = await streamVideo({
        source: await fileSource(video),
        url: options.url,
        keyFile: options.keyFile,
        config: sessionConfig(options),
        recordTo: options.record ?? null,
        contextFiles: { from: options.context ?? null, to: options.saveContext ?? null },
        codec: options.codec,
        maxInFlight: options.inFlight ?? Infinity,
        videos: { depth: options.out ?? null, sideBySide: options.sideBySide ?? null },
        isSilent: options.json === true
      })
      console.log(JSON.stringify({ ...summary, video: options.sideBySide ?? options.out ?? null }))
      if (firstError !== null)
        throw new LeadlineError(
          'FRAME_DECODE_FAILED',
          `${summary.errors} frames failed, the first: ${firstError}`
        )
    })
  return addSteadinessOptions(addKeyFile(command))
}

function sessionConfig(options: StreamCommandOptions): SessionConfig {
  const { model, mode, cacheSize, delivery, size, refine, format } = options
  return {
    delivery,
    output: { size, format, ...(refine === undefined ? {} : { refine }) },
    ...steadinessWishes(options),
    ...(model === undefined ? {} : { model }),
    ...(mode === undefined ? {} : { mode }),
    ...(cacheSize === undefined ? {} : { cacheSize })
  }
}

function mp4File(text: string): string {
  if (/\.mp4$/i.test(text)) return text
  throw new InvalidArgumentError('It must end in .mp4; for values, take "leadline clip --results npz".')
}
