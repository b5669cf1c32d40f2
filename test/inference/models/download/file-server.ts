import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface FileServerOptions {
  bytes: Uint8Array
  etag?: string | null
  /** Whether it answers ranges. @default true */
  ranges?: boolean
  /** Send only so many bytes of the body of request `index`, then wait for `cut`; null: all. */
  holdAfter?: (index: number) => number | null
}

export interface FileServer {
  url: string
  /** What was asked for, in order. */
  requests: { range: string | undefined; ifRange: string | undefined }[]
  /** Serve another file from now on. */
  change(bytes: Uint8Array, etag: string): void
  /** End the connections that wait. A client that has not read what was sent may lose it: watch its progress first. */
  cut(): void
}

/** One file on port 0, served over a real socket, as awkwardly as the test asks for. */
export async function serveFile(options: FileServerOptions): Promise<FileServer> {
  let { bytes, etag = '"one"' } = options
  const { ranges = true, holdAfter = () => null } = options
  const requests: FileServer['requests'] = []
  const waiting = new Set<ServerResponse>()
  const url = await serve((request, response) => {
    const { range, 'if-range': ifRange } = request.headers
    const held = holdAfter(requests.length)
    requests.push({ range, ifRange: ifRange as string | undefined })
    if (etag !== null) response.setHeader('etag', etag)
    const from = ranges && ifRange === etag ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0
    if (from > 0 && from >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
      return
    }
    const body = bytes.subarray(from)
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`)
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length })
    if (held === null) response.end(body)
    else response.write(body.subarray(0, held))
    if (held !== null) waiting.add(response)
  })
  return {
    url: `${url}/net.pth`,
    requests,
    change: (newBytes, newEtag) => {
      bytes = newBytes
      etag = newEtag
    },
    cut: () => {
      for (const response of waiting) response.socket?.end()
      waiting.clear()
    }
  }
}

/** Its address, without a slash at the end. */
export async function serve(
  listener: (request: IncomingMessage, response: ServerResponse) => void
): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => void server.close(() => resolve()))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
