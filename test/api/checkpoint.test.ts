import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { connectStream } from '../../src/client/index.ts'
import type { DepthStream } from '../../src/client/index.ts'
import { loadConfig } from '../../src/config.ts'
import { packContext, unpackContext } from '../../src/wire/context-bytes.ts'
import { createEngine } from '../../src/inference/index.ts'
import type { SessionConfig } from '../../src/session.ts'
import { testApp } from '../helpers/build-app.ts'

const size = { width: 140, height: 84 }
const everything: SessionConfig = {
  ...{ delivery: 'lossless', stabilize: true, steadyRange: true, output: { format: 'f32' } }
}

/** A server with the bundled network on the CPU, in an executor of its own. */
async function server(): Promise<string> {
  const running = await createEngine({
    config: loadConfig({ LEADLINE_THREADS: '1' }),
    log: pino({ level: 'silent' })
  })
  onTestFinished(() => running.close())
  const { listen } = await testApp({ engine: running.engine, config: { defaultModel: 'leadline-nano' } })
  return listen()
}

/** Blocks that move. */
function picture(number: number): Uint8Array {
  const rgb = new Uint8Array(size.width * size.height * 3)
  for (let y = 0; y < size.height; y++)
    for (let x = 0; x < size.width; x++)
      rgb.fill(
        (((y >> 3) * 5 + ((x + 2 * number) >> 3) * 3) % 7) * 36,
        (y * size.width + x) * 3,
        (y * size.width + x + 1) * 3
      )
  return rgb
}

async function send(stream: DepthStream, from: number, to: number) {
  const maps: object[] = []
  const reading = (async () => {
    for await (const { header, payload } of stream.results) {
      maps.push({ ...header, queueUs: 0, computeUs: 0, payload: Buffer.from(payload).toString('base64') })
      if (maps.length === to - from) return
    }
  })()
  for (let number = from; number < to; number++)
    await stream.send({ data: picture(number), codec: 'rgb24', ...size, timestampUs: number })
  await reading
  return maps
}

test(
  'on the CPU a session that another server goes on with is the uninterrupted one, bit for bit',
  { timeout: 300_000 },
  async () => {
    const first = await connectStream({ url: await server(), config: everything })
    onTestFinished(() => first.abort())
    await send(first, 0, 6)
    const context = await first.checkpoint()
    const uninterrupted = await send(first, 6, 12)
    const { context: saved } = await unpackContext(context)
    expect(saved.latents?.byteLength).toBeGreaterThan(0)

    const second = await connectStream({ url: await server(), config: everything, context })
    onTestFinished(() => second.abort())
    expect(second.ready.continued).toMatchObject({ continuity: 'exact', seq: 5 })
    expect(await send(second, 6, 12)).toEqual(uninterrupted)
  }
)

test(
  'latents that somebody made up spoil the stream that brought them, and no other',
  { timeout: 300_000 },
  async () => {
    const url = await server()
    const first = await connectStream({ url, config: everything })
    onTestFinished(() => first.abort())
    await send(first, 0, 2)
    const saved = await unpackContext(await first.checkpoint())
    const { latents, ...context } = saved.context
    const notFinite = new Uint8Array(latents?.byteLength ?? 0).fill(0xff)
    const forged = await packContext({ ...saved, context: { ...context, latents: notFinite } })
    const second = await connectStream({ url, config: everything, context: forged })
    onTestFinished(() => second.abort())
    await expect(send(second, 2, 3)).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
    // Of another network, they are none: the cache is made anew from the frames.
    const short = await packContext({ ...saved, context: { ...context, latents: new Uint8Array(40) } })
    const third = await connectStream({ url, config: everything, context: short })
    onTestFinished(() => third.abort())
    const [anew] = await send(third, 2, 3)
    expect(await send(first, 2, 3)).toEqual([anew])
  }
)
