import { Command, InvalidArgumentError, Option } from 'commander'
import { LeadlineError } from '../errors.ts'
import type { Delivery, SessionConfig } from '../session.ts'
import type { Camera } from '../depth-files/index.ts'
import { depthOutputNameOf, standardOutput } from '../depth-files/index.ts'
import type { Colormap } from '../wire/output.ts'
import { colormaps, outputSizes } from '../wire/output.ts'
import { deliveries, liveModes } from '../session.ts'
import type { CameraWishes } from './camera-options.ts'
import { addCameraOptions } from './camera-options.ts'
import type { DepthOutput } from './depth-outputs.ts'
import { frameCodecs } from './frame-encoder.ts'
import type { FrameCodec } from './frame-encoder.ts'
import { linesOfStream, sayLast } from './final-lines.ts'
import { positiveInteger } from './positive-integer.ts'
import { addKeyFile } from './server-key.ts'
import type { KeyOption } from './server-key.ts'
import type { SteadinessWishes } from './steadiness-options.ts'
import { addSteadinessOptions, steadinessWishes } from './steadiness-options.ts'
import { streamVideo } from './stream-video.ts'
import { givenSource } from './given-source.ts'

interface StreamCommandOptions extends SteadinessWishes, CameraWishes, KeyOption {
  out: DepthOutput[]
  sideBySide?: string
  url?: string
  model?: string
  mode?: NonNullable<SessionConfig['mode']>
  cacheSize?: number
  delivery?: Delivery
  size: (typeof outputSizes)[number]
  refine?: boolean
  compress?: boolean
  format: 'u16' | 'f16' | 'f32'
  colormap: Colormap
  codec: FrameCodec
  inFlight?: number
  saveContext?: string
  context?: string
  record?: string
  fps: number
  seconds?: number
  serveMjpeg?: number
  json?: boolean
}

const sources =
  'a video file, a folder of images, rtsp:// or http:// (MJPEG, HLS, a file), /dev/video0, or - (standard input)'

export function streamCommand(): Command {
  const command = new Command('stream')
    .description('Send a video or a camera frame by frame over a WebSocket and receive its depth.')
    .argument('<source>', sources)
    .option(
      '--out <file>',
      'write depth; the end of the name says as what: .mp4 (colours), .side-by-side.mp4, .side-by-side-half.mp4, ' +
        '.npz, .png16.zip, a folder/ (of 16-bit PNGs), .exr.zip, .exr-half.zip, .mkv, .ply.zip, .glb.zip, .f32 or .f16 ' +
        '(raw values, told in a .json beside them); -: raw to standard output, f32, or f16 with --format f16; may be ' +
        'given several times',
      outputFile,
      []
    )
    .option('--side-by-side <file.mp4>', 'write source and depth beside each other', mp4File)
    .option(
      '--url <address>',
      'a running server (host:port, http(s)://… or ws(s)://…, a path in it too); default: start one for this run'
    )
    .option('--model <name>', 'default: the server’s')
    .addOption(new Option('--mode <mode>', 'default: ovda').choices(liveModes))
    .option('--cache-size <frames>', 'frames in the window; default: the model’s', positiveInteger)
    .addOption(
      new Option(
        '--delivery <kind>',
        'latest: the newest frame, and files at their own speed; default: latest for live sources, else lossless'
      ).choices(deliveries)
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
    .option('--compress', 'depth maps of format u16 on the wire, without loss: for a server far away')
    .addOption(new Option('--colormap <name>', 'of videos').choices(colormaps).default('turbo'))
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
    .option('--fps <rate>', 'of the images of a folder', positiveInteger, 30)
    .option('--seconds <count>', 'of a live source, take so many; default: until Ctrl-C', positiveInteger)
    .option(
      '--serve-mjpeg <port>',
      'show depth meanwhile at http://127.0.0.1:<port>; 0: any free port',
      portNumber
    )
    .option('--json', 'the summary as JSON, as it is where the output is no terminal, and nothing else')
    .action(async (given: string, options: StreamCommandOptions) => {
      const isSilent = options.json === true
      const outputs = outputsOf(options)
      const isPipe = outputs.some((output) => output.path === standardOutput)
      if (isPipe) expectPipe()
      const say = (line: string) => void (isSilent || console.error(line))
      const { source, delivery } = await givenSource(given, {
        ...{ fps: options.fps, delivery: options.delivery ?? null, say }
      })
      const { firstError, ...summary } = await streamVideo({
        source,
        url: options.url,
        keyFile: options.keyFile,
        config: sessionConfig(options, delivery),
        recordTo: options.record ?? null,
        contextFiles: { from: options.context ?? null, to: options.saveContext ?? null },
        codec: options.codec,
        maxInFlight: options.inFlight ?? Infinity,
        files: { outputs, colormap: options.colormap, camera: cameraOf(options) },
        mjpegPort: options.serveMjpeg ?? null,
        seconds: options.seconds ?? null,
        isSilent
      })
      const files = outputs.map((output) => output.path)
      sayLast({
        ...{ lines: linesOfStream(summary, files), document: { ...summary, files }, isJson: isSilent },
        output: isPipe ? process.stderr : process.stdout
      })
      if (firstError !== null)
        throw new LeadlineError(
          'FRAME_DECODE_FAILED',
          `${summary.errors} frames failed, the first: ${firstError}`
        )
    })
  return addCameraOptions(addSteadinessOptions(addKeyFile(command)))
}

function sessionConfig(options: StreamCommandOptions, delivery: Delivery): SessionConfig {
  const { model, mode, cacheSize, size, refine, format, compress } = options
  return {
    delivery,
    output: {
      ...{ size, format },
      ...(refine === undefined ? {} : { refine }),
      ...(compress === true ? { compression: 'deflate' as const } : {})
    },
    ...steadinessWishes(options),
    ...(model === undefined ? {} : { model }),
    ...(mode === undefined ? {} : { mode }),
    ...(cacheSize === undefined ? {} : { cacheSize })
  }
}

/** One more `--out`. */
function outputFile(text: string, before: DepthOutput[]): DepthOutput[] {
  const name = text === standardOutput ? 'f32' : depthOutputNameOf(text)
  if (name !== null) return [...before, { path: text, name }]
  throw new InvalidArgumentError(
    'Its end must say as what depth is written: .mp4, .npz, .png16.zip, folder/, .exr.zip, .exr-half.zip, .mkv, .ply.zip, .glb.zip, ' +
      '.f32 or .f16; or it is -, standard output.'
  )
}

function mp4File(text: string): string {
  if (/\.mp4$/i.test(text)) return text
  throw new InvalidArgumentError('It must end in .mp4; --out takes other files.')
}

function outputsOf({ out, sideBySide, format }: StreamCommandOptions): DepthOutput[] {
  const isHalf = (one: DepthOutput) => one.path === standardOutput && format === 'f16'
  return [
    ...out.map((one): DepthOutput => (isHalf(one) ? { ...one, name: 'f16' } : one)),
    ...(sideBySide === undefined ? [] : [{ path: sideBySide, name: 'side-by-side.mp4' as const }])
  ]
}

/** Throws REQUEST_INVALID where people would see raw values. */
function expectPipe(): void {
  if (process.stdout.isTTY)
    throw new LeadlineError(
      'REQUEST_INVALID',
      '--out - writes raw depth to standard output, which is a terminal; pipe it into a program or a file'
    )
}

/** Throws REQUEST_INVALID for a camera that is told twice. */
function cameraOf({ fov, intrinsics }: CameraWishes): Camera {
  if (intrinsics === undefined) return { fovDegrees: fov ?? 60 }
  if (fov !== undefined)
    throw new LeadlineError(
      'REQUEST_INVALID',
      '--fov and --intrinsics both tell the camera; leave one of them out'
    )
  const [fx, fy, cx, cy] = intrinsics
  return { fx, fy, cx, cy }
}

function portNumber(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a port, 0 to 65535.')
}
