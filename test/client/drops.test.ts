import { expect, onTestFinished, test } from 'vitest'
import { randomNumbers } from '../../bench/random.ts'
import type { ConnectionEvent, Outcome } from '../../src/client/index.ts'
import { connectStream } from '../../src/client/index.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine, expectedChain, testFrame } from '../helpers/hash-engine.ts'
import { startLinkProxy } from '../helpers/link-proxy.ts'

const numDrops = Number(process.env.LEADLINE_TEST_DROPS ?? 200)
const timeout = 300_000

async function setup() {
  const engine = new HashEngine()
  const { listen } = await testApp({ config: { defaultModel: 'hash' }, engine })
  const port = Number(new URL(await listen()).port)
  const proxy = await startLinkProxy(port)
  onTestFinished(() => proxy.stop())
  return { engine, proxy, url: `ws://127.0.0.1:${proxy.port}` }
}

/** Of many sizes, so that a drop comes in the middle of one as well as between them. */
const payload = (seq: number) => new Uint8Array(1 + ((seq * 7919) % 20_000)).fill(seq % 256)

test.each([1])(
  'over hundreds of drops, in the middle of anything, each frame has its depth once and every resume is exact (seed %d)',
  { timeout },
  async (seed) => {
    const random = randomNumbers(seed)
    const { engine, proxy, url } = await setup()
    const events: ConnectionEvent[] = []
    const onConnection = (event: ConnectionEvent) => void events.push(event)
    const stream = await connectStream({ url, config: { delivery: 'lossless' }, onConnection })
    onTestFinished(() => stream.abort())
    const outcomes: Outcome[] = []
    const reading = (async () => {
      for await (const outcome of stream.outcomes) outcomes.push(outcome)
    })()
    const lost = () => events.filter(({ type }) => type === 'lost').length
    let numSent = 0
    while (lost() < numDrops) {
      // At once, which may be twice in a row; in the handshake or with `ready`; or somewhere in the frames and their depth.
      const kind = random()
      if (kind < 0.3) proxy.cut()
      else proxy.cutAfter(Math.floor(random() * (kind < 0.6 ? 1500 : 40_000)))
      for (let i = 0; i < 3; i++) await stream.send({ data: payload(numSent++), codec: 'jpeg' })
    }
    const summary = await stream.close()
    await reading

    expect(outcomes.map(({ seq }) => seq)).toEqual(Array.from({ length: numSent }, (_, i) => i))
    const found = outcomes.map((outcome) =>
      outcome.type === 'result' ? Buffer.from(outcome.payload).toString('hex') : outcome.type
    )
    const sent = Array.from({ length: numSent }, (_, seq) => testFrame(seq, payload(seq)))
    expect(found).toEqual(expectedChain(sent))
    expect(summary).toMatchObject({ frames: numSent, results: numSent, drops: 0, errors: 0 })
    const resumed = events.filter((event) => event.type === 'resumed')
    expect(resumed.every(({ continuity }) => continuity === 'exact')).toBe(true)
    expect(lost()).toBeGreaterThanOrEqual(numDrops)
    await eventually(() => engine.sessions.size).toBe(0)
  }
)

test('latest: over drops each frame has one outcome, in order', { timeout }, async () => {
  const random = randomNumbers(3)
  const { proxy, url } = await setup()
  const stream = await connectStream({ url, config: { delivery: 'latest' } })
  onTestFinished(() => stream.abort())
  const outcomes: Outcome[] = []
  const reading = (async () => {
    for await (const outcome of stream.outcomes) outcomes.push(outcome)
  })()
  for (let seq = 0; seq < 600; seq++) {
    if (seq % 10 === 0) proxy.cutAfter(Math.floor(random() * 60_000))
    await stream.send({ data: payload(seq), codec: 'jpeg' })
    if (seq % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const summary = await stream.close()
  await reading
  expect(outcomes.map(({ seq }) => seq)).toEqual(Array.from({ length: 600 }, (_, i) => i))
  const results = outcomes.filter(({ type }) => type === 'result').length
  expect(summary).toMatchObject({ frames: 600, results, drops: 600 - results, errors: 0 })
  expect(results).toBeGreaterThan(10)
})
