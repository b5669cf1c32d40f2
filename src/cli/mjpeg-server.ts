import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import type { DepthResult } from '../client/index.ts'
import { colorize, colorTable, displayEnds } from '../maps/colormap.ts'
import type { Colormap } from '../wire/output.ts'

const boundary = 'frame'

/** Shows depth in colours to browsers and players on this machine as it comes: MJPEG over HTTP (multipart/x-mixed-replace). */
export interface MjpegServer {
  url: string
  /** The next depth map, for those who have taken the last one. */
  show(depth: DepthResult): Promise<void>
  close(): Promise<void>
}

/** Listens on loopback alone. `port` 0: any free one. Throws what `listen` gives, such as EADDRINUSE. */
export async function serveMjpeg(port: number, colormap: Colormap): Promise<MjpegServer> {
  const table = colorTable(colormap)
  const viewers = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end()
    response.writeHead(200, {
      'content-type': `multipart/x-mixed-replace; boundary=${boundary}`,
      'cache-control': 'no-store'
    })
    response.write(`--${boundary}\r\n`)
    viewers.add(response)
    response.once('close', () => viewers.delete(response))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async show(depth) {
      const ready = [...viewers].filter((viewer) => !viewer.writableNeedDrain)
      if (ready.length === 0) return
      const { width, height, rangeMin, rangeMax, quantity } = depth.header
      const ends = displayEnds({ min: rangeMin, max: rangeMax }, quantity)
      const rgb = colorize(depth.values(), ends, table)
      const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
        .jpeg({ quality: 85 })
        .toBuffer()
      // A browser shows a part once the boundary after it has come.
      const head = `content-type: image/jpeg\r\ncontent-length: ${jpeg.byteLength}\r\n\r\n`
      for (const viewer of ready)
        viewer.write(Buffer.concat([Buffer.from(head), jpeg, Buffer.from(`\r\n--${boundary}\r\n`)]))
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}
