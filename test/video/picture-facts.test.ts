import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { probeVideo, readVideo } from '../../src/video/index.ts'
import { collect, makeClip, run, temporaryFolder } from './clip-file.ts'

test('pixels that are not square are squared, also in a clip that lies on its side', async () => {
  const folder = await temporaryFolder()
  const wide = await makeClip(path.join(folder, 'wide.mp4'), 2, ['-vf', 'setsar=64/45'])
  expect(await probeVideo(wide)).toMatchObject({ width: 137, height: 64 })
  expect((await collect(readVideo(wide)))[0]).toMatchObject({ width: 137, height: 64 })
  const turned = path.join(folder, 'turned.mp4')
  await run('ffmpeg', ['-v', 'error', '-i', wide, '-c', 'copy', '-metadata:s:v', 'rotate=90', turned])
  expect((await collect(readVideo(turned)))[0]).toMatchObject({ width: 64, height: 137 })
  const tall = await makeClip(path.join(folder, 'tall.mp4'), 2, ['-vf', 'setsar=1/2'])
  expect(await probeVideo(tall)).toMatchObject({ width: 96, height: 128 })
  const absurd = await makeClip(path.join(folder, 'absurd.mp4'), 2, ['-vf', 'setsar=100/1'])
  expect(await probeVideo(absurd)).toMatchObject({ width: 96, height: 64 })
})

const green = 'color=0x00c800:size='
const tags709 = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709']

test.each([
  ['1280x720', 'bt709'],
  ['1280x536', 'bt709'],
  ['720x1280', 'bt709'],
  ['720x576', 'bt601'],
  ['320x240', 'bt601']
] as const)('a picture of %s that does not name its matrix is taken as %s', async (size, matrix) => {
  const clip = path.join(await temporaryFolder(), 'a.mp4')
  const made = [
    '-vf',
    `scale=out_color_matrix=${matrix}:out_range=tv`,
    '-pix_fmt',
    'yuv420p',
    '-frames:v',
    '1'
  ]
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `${green}${size}`, ...made, clip])
  const [frame] = await collect(readVideo(clip))
  for (const [i, value] of [0, 200, 0].entries())
    expect(Math.abs((frame?.rgb[i] ?? -1) - value)).toBeLessThan(4)
})

test('a matrix that the file names is used whatever the size', async () => {
  const clip = path.join(await temporaryFolder(), 'a.mp4')
  const made = ['-vf', 'scale=out_color_matrix=bt709:out_range=tv', '-pix_fmt', 'yuv420p', '-frames:v', '1']
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `${green}320x240`, ...made, ...tags709, clip])
  const [frame] = await collect(readVideo(clip))
  for (const [i, value] of [0, 200, 0].entries())
    expect(Math.abs((frame?.rgb[i] ?? -1) - value)).toBeLessThan(4)
})

/** What a camera calls each curve of high dynamic range, the same scene in each. */
test.each([
  ['PQ', 'smpte2084'],
  ['HLG', 'arib-std-b67']
])('a scene in %s looks as it does in SDR', async (_name, transfer) => {
  const folder = await temporaryFolder()
  const source = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=5', '-frames:v', '1']
  const [sdr, hdr] = [path.join(folder, 'sdr.mp4'), path.join(folder, 'hdr.mp4')]
  await run('ffmpeg', [
    ...[...source, '-vf', 'scale=out_color_matrix=bt709:out_range=tv', '-pix_fmt', 'yuv420p'],
    ...[...tags709, '-crf', '1', sdr]
  ])
  const linear = 'zscale=tin=bt709:min=bt709:pin=bt709:t=linear:npl=203,format=gbrpf32le'
  const curve = `zscale=p=bt2020:t=${transfer}:m=bt2020nc:r=tv:npl=203,format=yuv420p10le`
  await run('ffmpeg', [
    ...[
      '-v',
      'error',
      '-i',
      sdr,
      '-vf',
      `${linear},${curve}`,
      '-c:v',
      'libx265',
      '-x265-params',
      'log-level=none'
    ],
    ...['-color_trc', transfer, '-colorspace', 'bt2020nc', '-color_primaries', 'bt2020', '-crf', '1', hdr]
  ])
  const [plain] = await collect(readVideo(sdr))
  const [mapped] = await collect(readVideo(hdr))
  const off = plain?.rgb.reduce((sum, value, i) => sum + Math.abs(value - (mapped?.rgb[i] ?? NaN)), 0) ?? NaN
  expect(off / (plain?.rgb.length ?? NaN)).toBeLessThan(16)
})

test('a video in PQ is refused by name where ffmpeg cannot map its tones', async () => {
  const folder = await temporaryFolder()
  const real = (await run('sh', ['-c', 'command -v ffmpeg'])).stdout.trim()
  const hidden = `#!/bin/sh\nif [ "$2" = -filters ]; then '${real}' "$@" | grep -v zscale; else exec '${real}' "$@"; fi\n`
  await writeFile(path.join(folder, 'ffmpeg'), hidden, { mode: 0o755 })
  const clip = await makeClip(path.join(folder, 'a.mp4'), 1, ['-color_trc', 'smpte2084'])
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(probeVideo(clip)).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    message: expect.stringMatching(/HDR \(PQ\).*zscale.*libzimg/) as string
  })
})
