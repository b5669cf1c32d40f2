import path from 'node:path'
import { Command } from 'commander'
import { LeadlineError } from '../errors.ts'
import { strongerModel } from './announcement.ts'
import { untilInterrupted } from './interrupt.ts'
import { makeOutFolder } from './out-folder.ts'
import { ownName } from './own-name.ts'
import { streamVideo } from './stream-video.ts'
import { drawDemoClip, fileSource } from './video-source.ts'

/** Two frames on their way keep the executor busy; more would only wait, and count as latency. */
const maxInFlight = 2

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'See it work: start a server, stream a video through it, write source and depth side by side.'
    )
    .option('--video <file>', 'any video that ffmpeg reads; default: a clip drawn by Leadline itself')
    .option('--out-dir <folder>', 'where the video goes', 'out')
    .action(async ({ video, outDir }: { video?: string; outDir: string }) => {
      await makeOutFolder(outDir)
      const source = await fileSource(video ?? (await ownClip(outDir)))
      const sideBySide = path.join(outDir, `${path.parse(video ?? 'demo').name}.side-by-side.mp4`)
      const count = source.frameCount ?? 'an unknown number of'
      console.log(`Starting a server and streaming ${count} frames of ${source.width}x${source.height} ...`)
      const { frames, fps, latency_ms, firstError } = await streamVideo({
        ...{ source, url: undefined, codec: 'jpeg', maxInFlight, isSilent: false },
        config: { delivery: 'lossless' },
        files: {
          outputs: [{ name: 'side-by-side.mp4', path: sideBySide }],
          ...{ colormap: 'turbo', camera: { fovDegrees: 60 } }
        }
      })
      if (firstError !== null) throw new LeadlineError('FRAME_DECODE_FAILED', firstError)
      console.log(
        `${frames} depth maps, ${fps} a second, latency p50 ${latency_ms.p50} ms, p95 ${latency_ms.p95} ms`
      )
      console.log(`Source and depth side by side: ${sideBySide}`)
      const own = ownName(process.env)
      console.log(`For your own camera: "${own} serve", and open the address that it prints in a browser`)
      console.log(`For ${strongerModel(own)}`)
      if (!process.stdout.isTTY) console.log(JSON.stringify({ frames, fps, latency_ms, video: sideBySide }))
    })
}

async function ownClip(outDir: string): Promise<string> {
  console.log('Drawing a clip ...')
  const clipPath = path.join(outDir, 'demo.mp4')
  await untilInterrupted((signal) => drawDemoClip(clipPath, signal))
  return clipPath
}
