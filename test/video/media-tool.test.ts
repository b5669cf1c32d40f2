import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startMediaTool } from '../../src/video/media-tool.ts'
import { probeVideo } from '../../src/video/index.ts'
import { temporaryFolder } from './clip-file.ts'

const hasProc = existsSync('/proc/self/limits')

test.skipIf(!hasProc)('a tool has bounds of its own for memory and writes no core', async () => {
  vi.stubEnv('LEADLINE_TEST_SECRET', 'lk_secret')
  onTestFinished(() => void vi.unstubAllEnvs())
  const tool = startMediaTool('ffmpeg', ['-f', 'rawvideo', '-s', '2x2', '-i', 'pipe:0', '-f', 'null', '-'], {
    stdio: ['pipe', 'ignore', 'pipe']
  })
  onTestFinished(() => void tool.child.kill('SIGKILL'))
  const read = (file: string) => readFileSync(`/proc/${tool.child.pid}/${file}`, 'utf8')
  await expect.poll(() => read('comm').trim(), { timeout: 90_000 }).toBe('ffmpeg')
  const limits = read('limits')
  expect(limits).toMatch(new RegExp(`Max data size +${4 * 2 ** 30} +`))
  expect(limits).toMatch(/Max core file size +0 +/)
  expect(limits).toMatch(/Max cpu time +7200 +/)
  expect(read('environ')).not.toContain('LEADLINE')
  tool.child.stdin?.end()
  expect(await tool.exited).not.toBeNull()
})

test.skipIf(!hasProc)(
  'a picture that asks for more memory than a tool may have costs that tool alone',
  async () => {
    // Four floats a pixel: 4.2 GB.
    const bomb = ['-f', 'lavfi', '-i', 'color=s=16200x16200', '-frames:v', '1', '-vf', 'format=gbrapf32le']
    const tool = startMediaTool('ffmpeg', ['-v', 'error', '-nostdin', ...bomb, '-f', 'null', '-'], {
      stdio: ['ignore', 'ignore', 'pipe']
    })
    expect(await tool.exited).not.toBe(0)
    expect(tool.complaint()).toMatch(/allocate memory/i)
  },
  120_000
)

test.skipIf(!hasProc)('a tool that computes for too long is ended', async () => {
  const endless = ['-f', 'lavfi', '-i', 'testsrc=s=640x480', '-f', 'null', '-']
  const tool = startMediaTool('ffmpeg', ['-v', 'error', '-nostdin', ...endless], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cpuSeconds: 1
  })
  onTestFinished(() => void tool.child.kill('SIGKILL'))
  expect(await tool.exited).toBeNull()
})

test.each([
  ['a playlist', '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n'],
  ['a list of files', "ffconcat version 1.0\nfile '/etc/passwd'\n"],
  [
    'a description of a stream',
    'v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n'
  ]
])('%s, which names other files or addresses, is no video', async (_, text) => {
  const file = path.join(await temporaryFolder(), 'clip')
  await writeFile(file, text)
  await expect(probeVideo(file)).rejects.toMatchObject({ code: 'CLIP_INVALID' })
})

test('a tool that is not there is told by name', async () => {
  vi.stubEnv('PATH', await temporaryFolder())
  onTestFinished(() => void vi.unstubAllEnvs())
  const tool = startMediaTool('ffmpeg', [], { stdio: ['ignore', 'ignore', 'pipe'] })
  await expect(tool.exited).rejects.toMatchObject({ code: 'TOOL_MISSING' })
})
