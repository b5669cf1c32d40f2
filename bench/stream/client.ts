/** A client that keeps four frames in flight; they are JPEG before the clock starts. */
import sharp from 'sharp'
import { connectStream } from '../../src/client/index.ts'
import { clip } from './clip.ts'

const [frames, url = ''] = process.argv.slice(2)
const inFlight = 4
const encoded = await Promise.all(
  clip(Number(frames)).map(({ rgb, width, height }) =>
    sharp(rgb, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 85 })
      .toBuffer()
  )
)
const stream = await connectStream({
  url,
  config: { delivery: 'lossless', cacheSize: 16 },
  readAhead: encoded.length
})
const outcomes = stream.outcomes[Symbol.asyncIterator]()
const latenciesMs: number[] = []

async function takeOne(): Promise<void> {
  const { value } = await outcomes.next()
  if (value?.type !== 'result') throw new Error(`a frame ended in ${JSON.stringify(value)}`)
  latenciesMs.push(value.latencyMs)
}

process.send?.('first frame')
const startedMs = performance.now()
for (const [i, data] of encoded.entries()) {
  if (i >= inFlight) await takeOne()
  await stream.send({ data, codec: 'jpeg' })
}
while (latenciesMs.length < encoded.length) await takeOne()
const fps = (encoded.length * 1000) / (performance.now() - startedMs)
await stream.close()
process.send?.({ fps, latenciesMs })
