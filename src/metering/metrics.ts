import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { collectDefaultMetrics, type Registry } from 'prom-client'
import { LeadlineError } from '../errors.ts'

export interface MetricsServer {
  url: string
  /** Twice without harm. */
  close(): Promise<void>
}

/** Adds the process's own figures: processor time, memory, delay of the event loop. Twice without harm. */
export function watchProcess(registry: Registry): void {
  if (!registry.getSingleMetric('process_cpu_seconds_total')) collectDefaultMetrics({ register: registry })
}

export interface MetricsServerOptions {
  registry: Registry
  host: string
  port: number
  /** What `/livez` says, beside that the event loop turns. */
  isAlive: () => boolean
  /** What `/readyz` says is missing; empty: nothing. */
  missing: () => readonly string[]
}

function answer(response: ServerResponse, isWell: boolean, body: object): void {
  response.writeHead(isWell ? 200 : 503, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

/**
 * A worker's `/metrics`, `/livez` and `/readyz` over HTTP, for it has no other port. What asks the executor for figures waits for it,
 * as long as a load may take; the others do not. Throws CONFIG_INVALID when it cannot listen.
 */
export async function serveMetrics(options: MetricsServerOptions): Promise<MetricsServer> {
  const { registry, host, port, isAlive, missing } = options
  const server = createServer((request, response) => {
    if (request.method !== 'GET') return void response.writeHead(404).end()
    if (request.url === '/livez') {
      const alive = isAlive()
      return answer(response, alive, { alive })
    }
    if (request.url === '/readyz') {
      const lacks = [...missing(), ...(isAlive() ? [] : ['executor'])]
      return answer(response, lacks.length === 0, { ready: lacks.length === 0, missing: lacks })
    }
    if (request.url !== '/metrics') return void response.writeHead(404).end()
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end()
    )
  })
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LeadlineError('CONFIG_INVALID', `LEADLINE_METRICS_PORT=${port} on ${host}: ${reason}`, {
      cause
    })
  }
  const { port: actual } = server.address() as AddressInfo
  return {
    url: `http://${host}:${actual}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
