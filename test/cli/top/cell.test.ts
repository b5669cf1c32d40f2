import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { connectStream } from '../../../src/client/index.ts'
import { loadConfig } from '../../../src/config.ts'
import { startGateway } from '../../../src/gateway.ts'
import { startWorker } from '../../../src/worker.ts'
import { startRedis } from '../../helpers/redis.ts'
import { frameOf } from '../../inference/frames.ts'
import { parse } from '../parse.ts'

const log = pino({ level: 'silent' })

test('two gateways of one Redis are looked at together', { timeout: 120_000 }, async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const environment = { REDIS_URL: redis.url, LEADLINE_EXECUTOR: 'fake', LEADLINE_AUTH: 'off' }
  const config = { ...loadConfig(environment), port: 0, metricsPort: null, lameDuckMs: 0 }
  const worker = await startWorker(config, log)
  onTestFinished(() => worker.close())
  const urls: string[] = []
  for (const frames of [2, 3]) {
    const gateway = await startGateway(config, log)
    onTestFinished(() => gateway.close())
    urls.push(gateway.url)
    const stream = await connectStream({ url: gateway.url, config: { delivery: 'lossless' } })
    onTestFinished(() => stream.abort(new Error('the test is over')))
    const { payload } = frameOf(1, 'rgb24', new Uint8Array(56 * 28 * 3), { width: 56, height: 28 })
    const depths = stream.results[Symbol.asyncIterator]()
    for (let i = 0; i < frames; i++) {
      await stream.send({ data: payload, codec: 'rgb24', width: 56, height: 28 })
      await depths.next()
    }
  }
  const [first = '', second = ''] = urls
  const top = await parse(['top', '--url', first, '--url', second, '--once'])
  expect(top.stderr).toBe('')
  expect(JSON.parse(top.stdout)).toMatchObject({
    ...{ missing: [], total: { workers: 1, sessions: 2 }, workers: [{ sessions: 2 }] },
    gateway: { streams: 2, drops: 0, errors: 0, latencyMs: { p99: expect.any(Number) as number } },
    gateways: [
      { url: first, figures: { streams: 1 } },
      { url: second, figures: { streams: 1 } }
    ]
  })
  const half = await parse(['top', '--url', 'http://127.0.0.1:1', '--url', second, '--once'])
  expect(JSON.parse(half.stdout)).toMatchObject({
    ...{ missing: ['gateway'], total: { workers: 1, sessions: 2 }, gateway: { streams: 1 } },
    gateways: [{ figures: null }, { url: second }]
  })
})
