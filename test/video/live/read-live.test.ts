import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { LiveEvent, VideoFrame } from '../../../src/video/index.ts'
import { liveAddress, readLive } from '../../../src/video/index.ts'
import { freePort } from '../../helpers/free-port.ts'
import { makeClip, run, temporaryFolder } from '../clip-file.ts'
import { startMjpegCamera } from './mjpeg-camera.ts'

/** What is read until `isEnough`, and what was said of it. */
async function readUntil(
  url: string,
  isEnough: (frames: VideoFrame[], events: LiveEvent[]) => boolean | Promise<boolean>
): Promise<{ frames: VideoFrame[]; events: LiveEvent[] }> {
  const stopping = new AbortController()
  const frames: VideoFrame[] = []
  const events: LiveEvent[] = []
  const options = { signal: stopping.signal, onEvent: (event: LiveEvent) => void events.push(event) }
  for await (const frame of readLive(liveAddress(url)!, options)) {
    frames.push(frame)
    if (await isEnough(frames, events)) stopping.abort()
  }
  return { frames, events }
}

function expectRising(frames: readonly VideoFrame[]): void {
  for (const [i, { timestampUs }] of frames.entries())
    if (i > 0) expect(timestampUs).toBeGreaterThan(frames[i - 1]!.timestampUs)
}

test('MJPEG over HTTP comes picture by picture; a camera that went away is asked for until it is back', async () => {
  const camera = await startMjpegCamera()
  const { frames, events } = await readUntil(camera.url, async (frames, events) => {
    if (frames.length === 5) {
      await camera.stop()
      await camera.start()
    }
    return events.at(-1)?.type === 'back' && frames.length >= 8
  })
  expect(events.map(({ type }) => type)).toEqual(['lost', 'back'])
  expect(camera.connections).toBe(2)
  expect(JSON.stringify(events)).not.toContain('secret')
  for (const { width, height } of frames) expect([width, height]).toEqual([64, 48])
  expectRising(frames)
  expect(frames.slice(0, 4).map(({ rgb }) => Math.round(rgb[0]! / 10))).toEqual([0, 1, 2, 3])
})

test('a source that gives no picture to begin with says so, without its password', async () => {
  const camera = await startMjpegCamera()
  await camera.stop()
  const reading = readUntil(camera.url, () => true)
  await expect(reading).rejects.toMatchObject({ code: 'CLIP_INVALID' })
  await expect(reading).rejects.toThrow(
    /127\.0\.0\.1:\d+\/video gives no picture \(.*Connection refused.*\); is the address right/
  )
  await expect(reading).rejects.not.toThrow(/secret/)
})

test('HLS of a video that is over is read to its end, and may not name a file of this machine', async () => {
  const folder = await temporaryFolder()
  const clip = await makeClip(path.join(folder, 'a.mp4'), 24)
  const playlist = path.join(folder, 'a.m3u8')
  await run('ffmpeg', [
    '-v',
    'error',
    '-i',
    clip,
    '-c',
    'copy',
    '-hls_time',
    '1',
    '-hls_list_size',
    '0',
    playlist
  ])
  const server = createServer((request, response) => {
    const name = path.basename(request.url ?? '')
    if (name === 'evil.m3u8') {
      const lines = [
        '#EXTM3U',
        '#EXT-X-TARGETDURATION:2',
        '#EXTINF:2,',
        `file://${clip}`,
        '#EXT-X-ENDLIST',
        ''
      ]
      return void response.end(lines.join('\n'))
    }
    readFile(path.join(folder, name)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end()
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { frames, events } = await readUntil(`${base}/a.m3u8`, () => false)
  expect(frames).toHaveLength(24)
  expect(events).toEqual([])
  expect(frames[12]!.timestampUs / 1e6).toBeCloseTo(1, 2)
  await expect(readUntil(`${base}/evil.m3u8`, () => true)).rejects.toMatchObject({ code: 'CLIP_INVALID' })
})

const hasRtspServer =
  spawnSync('/usr/bin/python3', ['-c', 'import gi; gi.require_version("GstRtspServer", "1.0")']).status === 0

test.skipIf(!hasRtspServer)(
  'RTSP is read from a real server, and again after that was killed and came back (needs gir1.2-gst-rtsp-server-1.0)',
  async () => {
    const port = await freePort()
    const start = async () => {
      const script = new URL('./rtsp-camera.py', import.meta.url).pathname
      const child = spawn('/usr/bin/python3', [script, String(port)], { stdio: ['ignore', 'pipe', 'ignore'] })
      onTestFinished(() => void child.kill('SIGKILL'))
      await once(child.stdout, 'data')
      return child
    }
    let camera = await start()
    const { frames, events } = await readUntil(`rtsp://127.0.0.1:${port}/camera`, async (frames, events) => {
      if (frames.length === 3) {
        camera.kill('SIGKILL')
        await once(camera, 'exit')
        camera = await start()
      }
      return events.at(-1)?.type === 'back' && frames.length >= 6
    })
    expect(events.map(({ type }) => type)).toEqual(['lost', 'back'])
    for (const { width, height, rgb } of frames)
      expect([width, height, rgb.byteLength]).toEqual([320, 176, 168_960])
    expectRising(frames)
  }
)
