/**
 * What it costs that an image is decoded in a process of its own: `npm run bench decode`. The same JPEGs, one after the
 * other, by a decoder process and by a thread of this process, in turns; wall and processor time of each, medians of rounds.
 * Linux only.
 */
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { ValidFrame } from '../src/wire/frame.ts'
import { lookAtProcess } from '../src/inference/executors/process/look-at-process.ts'
import { PictureDecoder } from '../src/inference/pixels/decoding/picture-decoder.ts'
import type { PrepareOptions } from '../src/inference/pixels/preprocess.ts'
import { noisyJpeg } from './noisy-jpeg.ts'
import { median, report } from './report.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 9)
const framesPerRound = 60
const sources = [
  { width: 640, height: 480, lowerBound: 154 },
  { width: 1280, height: 720, lowerBound: 280 },
  { width: 1920, height: 1080, lowerBound: 518 }
]

const decoder = new PictureDecoder()
const thread = new Piscina({
  filename: fileURLToPath(new URL('../src/inference/pixels/pixel-thread.ts', import.meta.url)),
  ...{ execArgv: ['--import', 'tsx'], minThreads: 1, maxThreads: 1 }
})
const ways: Record<'process' | 'thread', (frame: ValidFrame, options: PrepareOptions) => Promise<unknown>> = {
  process: (frame, options) => decoder.decode(frame, options),
  thread: ({ header, payload }, options) => {
    const own = Uint8Array.from(payload)
    return thread.run({ kind: 'prepare', header, payload: own, options }, { transferList: [own.buffer] })
  }
}

/** Processor time so far, of this process and the decoders. */
function spentMs(): number {
  const { user, system } = process.cpuUsage()
  const ofDecoders = decoder.pids.map((pid) => lookAtProcess(pid)?.cpuMs ?? 0)
  return (user + system) / 1000 + ofDecoders.reduce((sum, ms) => sum + ms, 0)
}

for (const { lowerBound, ...size } of sources) {
  const payload = await noisyJpeg(size)
  const header = { seq: 0, timestampUs: 0, codec: 'jpeg', width: 0, height: 0 }
  const frame = { header, payload } as ValidFrame
  const rule = { multiple: 14, lowerBound, maxArea: 2 ** 20 }
  const options: PrepareOptions = { rule, maxPixels: 2 ** 24, withGuide: false }
  const wall = { process: [] as number[], thread: [] as number[] }
  const cpu = { process: [] as number[], thread: [] as number[] }
  for (let round = -1; round < rounds; round++)
    for (const way of ['process', 'thread'] as const) {
      const before = spentMs()
      const took: number[] = []
      for (let i = 0; i < framesPerRound; i++) {
        const begun = performance.now()
        await ways[way](frame, options)
        took.push(performance.now() - begun)
      }
      if (round < 0) continue
      wall[way].push(median(took))
      cpu[way].push((spentMs() - before) / framesPerRound)
    }
  for (const [what, of] of Object.entries({ time: wall, 'processor time': cpu })) {
    const ratio = median(of.process.map((ms, round) => ms / (of.thread[round] ?? NaN)))
    const value = Number(median(of.process).toPrecision(3))
    const to = `a thread of the worker (${Number(median(of.thread).toPrecision(3))} ms)`
    report({
      name: `JPEG ${size.width}x${size.height} decoded in a process: ${what}`,
      value,
      unit: 'ms',
      ratio,
      to
    })
  }
}
await Promise.all([decoder.close(), thread.destroy()])
