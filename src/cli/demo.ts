import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { LeadlineError } from '../errors.ts'
import { streamVideo } from './stream-video.ts'
import { demoSource, fileSource } from './video-source.ts'

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
      const source = video === undefined ? demoSource() : await fileSource(video)
      await mkdir(outDir, { recursive: true })
      const name = video === undefined ? 'demo' : path.parse(video).name
      const sideBySide = path.join(outDir, `${name}.side-by-side.mp4`)
      console.log(
        `${source.width}x${source.height}, ${source.frameCount ?? 'unknown number of'} frames: starting a server and streaming …`
      )
      const { frames, fps, latency_ms, firstError } = await streamVideo({
        ...{ source, url: undefined, codec: 'jpeg', maxInFlight, isSilent: false },
        config: { delivery: 'lossless' },
        videos: { depth: null, sideBySide }
      })
      if (firstError !== null) throw new LeadlineError('FRAME_DECODE_FAILED', firstError)
      console.log(
        `${frames} depth maps, ${fps} per second, latency p50 ${latency_ms.p50} ms, p95 ${latency_ms.p95} ms`
      )
      console.log(`Source and depth side by side: ${sideBySide}`)
      console.log(JSON.stringify({ frames, fps, latency_ms, video: sideBySide }))
    })
}
