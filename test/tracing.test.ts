import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { startGateway } from '../src/gateway.ts'
import { startWorker } from '../src/worker.ts'
import { eventually } from './helpers/eventually.ts'
import { randomPrefix, startRedis } from './helpers/redis.ts'
import { greyFrame, openStream } from './helpers/stream-client.ts'

const timeout = 120_000
const log = pino({ level: 'silent' })

interface Span {
  service: string
  name: string
  traceId: string
  spanId: string
  parentSpanId?: string
  startTimeUnixNano: string
  endTimeUnixNano: string
}

interface Export {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] }
    scopeSpans: { spans: Omit<Span, 'service'>[] }[]
  }[]
}

/** A collector that takes spans as OTLP over HTTP, in JSON. */
async function collector(): Promise<{ endpoint: string; spans: Span[] }> {
  const spans: Span[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    expect(request.url).toBe('/v1/traces')
    for (const { resource, scopeSpans } of (JSON.parse(text) as Export).resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? ''
      for (const scope of scopeSpans) spans.push(...scope.spans.map((span) => ({ service, ...span })))
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans }
}

/** Once the worker's lease is there. */
async function opened(url: string): ReturnType<typeof openStream> {
  const ready = () => fetch(`${url}/readyz`)
  await eventually(async () => (await ready()).status).toBe(200)
  return openStream(url, { delivery: 'lossless' })
}

test('one frame in two is followed from its gateway through its worker and back', { timeout }, async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const { endpoint, spans } = await collector()
  const config = loadConfig({
    ...{
      REDIS_URL: redis.url,
      LEADLINE_KEY_PREFIX: randomPrefix(),
      LEADLINE_EXECUTOR: 'fake',
      LEADLINE_PORT: '0'
    },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, LEADLINE_TRACE_EVERY: '2', LEADLINE_LAME_DUCK_MS: '0' }
  })
  const worker = await startWorker(config, log)
  const gateway = await startGateway(config, log)
  const client = await opened(gateway.url)
  for (const seq of [0, 1, 2, 3]) client.send(greyFrame(seq))
  for (let count = 0; count < 4; count++) await client.expect('result')
  await gateway.close()
  await worker.close()

  const roots = spans.filter(({ name }) => name === 'frame')
  expect(roots.map(({ service, parentSpanId }) => ({ service, parentSpanId }))).toEqual([
    { service: 'leadline-gateway', parentSpanId: undefined },
    { service: 'leadline-gateway', parentSpanId: undefined }
  ])
  for (const { traceId, spanId, startTimeUnixNano, endTimeUnixNano } of roots) {
    const children = spans.filter((span) => span.traceId === traceId && span.spanId !== spanId)
    expect(children.map(({ service, name, parentSpanId }) => [service, name, parentSpanId]).sort()).toEqual([
      ['leadline-gateway', 'send', spanId],
      ...['decode', 'encode', 'queue', 'step'].map((name) => ['leadline-worker', name, spanId])
    ])
    for (const child of children) {
      expect(BigInt(child.startTimeUnixNano) <= BigInt(child.endTimeUnixNano)).toBe(true)
      // Both processes have one clock here.
      expect(BigInt(child.startTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true)
      expect(BigInt(child.endTimeUnixNano) <= BigInt(endTimeUnixNano)).toBe(true)
    }
  }
  expect(spans).toHaveLength(12)
})

test('who is not asked for traces loads nothing of OpenTelemetry', { timeout }, async () => {
  const script = `
    await import('./src/server.ts'); await import('./src/tracing/open-tracer.ts')
    const { default: module } = await import('node:module')
    console.log(Object.keys(module._cache).filter((name) => /@opentelemetry.(sdk|exporter|otlp|resources)/.test(name)).length)
  `
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: new URL('..', import.meta.url).pathname
  })
  expect(stdout.trim()).toBe('0')
})
