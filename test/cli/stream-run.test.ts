import { expect, onTestFinished, test } from 'vitest'
import type { StreamRun } from '../../src/cli/stream-run.ts'
import { runStream } from '../../src/cli/stream-run.ts'
import type { VideoFrame } from '../../src/video/index.ts'
import { testApp } from '../helpers/build-app.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { startLinkProxy } from '../helpers/link-proxy.ts'

function* frames(count: number): Generator<VideoFrame> {
  for (let i = 0; i < count; i++) {
    yield { width: 4, height: 2, rgb: new Uint8Array(24).fill(i), timestampUs: i * 1000 }
  }
}

async function setup(
  changes: Partial<StreamRun> = {}
): Promise<{ engine: HashEngine; run: StreamRun; seen: [number, number][] }> {
  const engine = new HashEngine()
  const url = await (await testApp({ config: { defaultModel: 'hash' }, engine })).listen()
  const seen: [number, number][] = []
  const source = { fps: 1000, frameCount: 30, frames: () => frames(30), warnings: [], live: null }
  const onOutcome: StreamRun['onOutcome'] = ({ seq }, frame) => void seen.push([seq, frame.rgb[0] ?? -1])
  const config = { delivery: 'lossless' } as const
  const run = {
    url,
    config,
    source,
    codec: 'rgb24',
    maxInFlight: Infinity,
    key: null,
    signal: new AbortController().signal,
    onOutcome,
    ...changes
  } as const
  return { engine, run, seen }
}

test.each([Infinity, 1])(
  'every outcome comes with its own frame, in order, with %d on the way',
  async (maxInFlight) => {
    const { run, seen } = await setup({ maxInFlight })
    await runStream(run)
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => [i, i]))
  }
)

test('latest sends at the pace of the source, and every frame still has an outcome', async () => {
  const { run, seen } = await setup({ config: { delivery: 'latest' } })
  await runStream(run)
  expect(seen.map(([seq]) => seq)).toEqual(Array.from({ length: 30 }, (_, i) => i))
})

test.each(['latest', 'adaptive'] as const)(
  '%s waits until the next frame of a file is due',
  async (delivery) => {
    const controller = new AbortController()
    let numDrawn = 0
    function* hourly(): Generator<VideoFrame> {
      for (const frame of frames(30)) {
        numDrawn++
        yield { ...frame, timestampUs: frame.timestampUs * 3_600_000 }
      }
    }
    const { run } = await setup({
      ...{ config: { delivery }, signal: controller.signal },
      onOutcome: () => controller.abort()
    })
    await expect(runStream({ ...run, source: { ...run.source, frames: hourly } })).rejects.toBeDefined()
    // The first was sent, the second waits.
    expect(numDrawn).toBe(2)
  }
)

test('no more frames are on their way than asked for', async () => {
  const { engine, run } = await setup({ maxInFlight: 3 })
  engine.hold()
  let numDrawn = 0
  function* counted(): Generator<VideoFrame> {
    for (const frame of frames(30)) {
      numDrawn++
      yield frame
    }
  }
  const running = runStream({ ...run, source: { ...run.source, frames: counted } })
  // Three were sent and the fourth is ready to follow.
  await expect.poll(() => numDrawn).toBe(4)
  engine.resume()
  await running
  expect(numDrawn).toBe(30)
})

test('a source that breaks ends the run with its own failure and frees the session', async () => {
  const { engine, run } = await setup()
  const broken = new Error('the file breaks off')
  function* breaking(): Generator<VideoFrame> {
    yield* frames(5)
    throw broken
  }
  await expect(runStream({ ...run, source: { ...run.source, frames: breaking } })).rejects.toBe(broken)
  await expect.poll(() => engine.sessions.size).toBe(0)
})

test('an outcome that cannot be handled ends the run with its own failure', async () => {
  const full = new Error('disk full')
  const { run } = await setup({
    onOutcome: () => {
      throw full
    }
  })
  await expect(runStream(run)).rejects.toBe(full)
})

test('a signal ends the run', async () => {
  const controller = new AbortController()
  const { engine, run } = await setup({ signal: controller.signal, onOutcome: () => controller.abort() })
  // So long that it cannot be over before the signal is heard.
  const source = { ...run.source, frames: () => frames(100_000) }
  await expect(runStream({ ...run, source })).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  await expect.poll(() => engine.sessions.size).toBe(0)
})

test('a run whose connection breaks goes on, and tells it', async () => {
  const { run, seen } = await setup()
  const proxy = await startLinkProxy(Number(new URL(run.url).port))
  onTestFinished(() => proxy.stop())
  const events: string[] = []
  proxy.cutAfter(2500)
  await runStream({
    ...run,
    url: `ws://127.0.0.1:${proxy.port}`,
    onConnection: ({ type }) => void events.push(type)
  })
  expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => [i, i]))
  expect(events).toEqual(['lost', 'resumed'])
})

test('a video in two halves, the second from the context of the first, is that of one stream', async () => {
  const { run } = await setup()
  const depth: string[] = []
  const half = (from: number, more: Partial<StreamRun>) =>
    runStream({
      ...run,
      source: { ...run.source, frames: () => [...frames(30)].slice(from, from + 15) },
      onOutcome: (outcome, { timestampUs }) => {
        expect(outcome.seq * 1000).toBe(timestampUs)
        if (outcome.type === 'result') depth.push(Buffer.from(outcome.payload).toString('hex'))
      },
      ...more
    })
  let context: Uint8Array | undefined
  await half(0, { onContext: async (saved) => void (context = saved) })
  await half(15, { context })
  const whole: string[] = []
  await runStream({
    ...run,
    onOutcome: (outcome) => {
      if (outcome.type === 'result') whole.push(Buffer.from(outcome.payload).toString('hex'))
    }
  })
  expect(depth).toEqual(whole)
})
