import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'

export interface MjpegCamera {
  url: string
  /** Connections that were made so far. */
  readonly connections: number
  /** Goes away: whoever looks is cut off, and nobody comes in. */
  stop(): Promise<void>
  /** Is there again, at the same address. */
  start(): Promise<void>
}

/** A camera that shows MJPEG over HTTP: pictures of one grey each, which grows by ten with each, 20 a second. */
export async function startMjpegCamera(): Promise<MjpegCamera> {
  const size = { width: 64, height: 48 }
  let connections = 0
  const show = async (response: ServerResponse): Promise<void> => {
    response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=b' })
    for (let i = 0; !response.destroyed; i++) {
      const grey = (i * 10) % 250
      const create = { ...size, channels: 3 as const, background: { r: grey, g: grey, b: grey } }
      const jpeg = await sharp({ create }).jpeg().toBuffer()
      response.write(`--b\r\ncontent-type: image/jpeg\r\ncontent-length: ${jpeg.byteLength}\r\n\r\n`)
      response.write(jpeg)
      response.write('\r\n')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const server = createServer((_request, response) => {
    connections++
    void show(response)
  })
  const stop = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(stop)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://user:secret@127.0.0.1:${port}/video?token=secret`,
    get connections() {
      return connections
    },
    stop,
    async start() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    }
  }
}
