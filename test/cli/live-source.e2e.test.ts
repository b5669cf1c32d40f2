import { createReadStream } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { probeVideo } from '../../src/video/index.ts'
import { eventually } from '../helpers/eventually.ts'
import { makeClip, temporaryFolder } from '../video/clip-file.ts'
import { startMjpegCamera } from '../video/live/mjpeg-camera.ts'
import { lastLine, startLeadline } from './leadline-process.ts'

/** The first picture of an MJPEG stream. */
async function firstPicture(url: string): Promise<Buffer> {
  const response = await fetch(url)
  let seen = Buffer.alloc(0)
  for await (const piece of response.body!) {
    seen = Buffer.concat([seen, piece])
    const [head, byteLength] = /content-length: (\d+)\r\n\r\n/.exec(seen.toString('latin1')) ?? []
    if (head === undefined) continue
    const at = seen.indexOf(head) + head.length
    if (seen.byteLength >= at + Number(byteLength)) return seen.subarray(at, at + Number(byteLength))
  }
  throw new Error('the stream ended before its first picture')
}

test('a camera is streamed and shown until Ctrl-C, which keeps what came', async () => {
  const camera = await startMjpegCamera()
  const out = path.join(await temporaryFolder(), 'depth.mp4')
  const streaming = startLeadline(['stream', camera.url, '--out', out, '--serve-mjpeg', '0'])
  await eventually(() => streaming.stderr).toMatch(/depth is shown at http/)
  const [, url = ''] = /depth is shown at (\S+)/.exec(streaming.stderr) ?? []
  const shown = await sharp(await firstPicture(url)).metadata()
  streaming.child.kill('SIGINT')
  expect(await streaming.exited).toBe(0)
  const summary = lastLine(streaming.stdout) as {
    frames: number
    drops: number
    errors: number
    video: string
  }
  expect(summary).toMatchObject({ errors: 0, files: [out] })
  expect(summary.frames).toBeGreaterThan(0)
  const { width, height, frameCount } = await probeVideo(out)
  // A frame that was dropped shows the depth before it, from the first depth on.
  expect(frameCount).toBeGreaterThanOrEqual(summary.frames)
  expect(frameCount).toBeLessThanOrEqual(summary.frames + summary.drops)
  expect([width, height]).toEqual([64, 48])
  expect(shown.format).toBe('jpeg')
  expect(streaming.stderr + streaming.stdout).not.toContain('secret')
})

test('standard input is read to its end, each frame once', async () => {
  const clip = await makeClip(path.join(await temporaryFolder(), 'a.mkv'), 24)
  const streaming = startLeadline(['stream', '-', '--json'])
  await pipeline(createReadStream(clip), streaming.child.stdin)
  expect(await streaming.exited, streaming.stderr).toBe(0)
  expect(lastLine(streaming.stdout)).toMatchObject({ frames: 24, drops: 0, errors: 0 })
})
