import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import type { VideoWarning } from '../../src/video/index.ts'
import { readVideo } from '../../src/video/index.ts'
import { collect, makeClip, run, temporaryFolder } from './clip-file.ts'

/** Bytes in which no decoder finds a picture. */
const noise = Buffer.from(Array.from({ length: 251 }, (_, i) => (i * i * 37 + i * 11) % 256))

interface Packet {
  pos: number
  size: number
  isKey: boolean
}

/** Where the pictures lie in a file, in the order in which they are coded. */
async function packetsOf(clip: string): Promise<Packet[]> {
  const entries = ['-show_entries', 'packet=pos,size,flags', '-of', 'json']
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v:0', ...entries, clip])
  const { packets } = JSON.parse(stdout) as { packets: { pos: string; size: string; flags: string }[] }
  return packets.map(({ pos, size, flags }) => ({
    ...{ pos: Number(pos), size: Number(size) },
    isKey: flags.startsWith('K')
  }))
}

test.each(['a.mp4', 'a.mkv', 'a.ts'])('damage in %s is told, and what decodes comes', async (name) => {
  const args = ['-c:v', 'libx264', '-g', '10', '-bf', '0']
  const clip = await makeClip(path.join(await temporaryFolder(), name), 60, args)
  const packets = await packetsOf(clip)
  const at = packets.findIndex(({ isKey }, i) => isKey && i >= 20)
  const { pos, size } = packets[at] ?? expect.fail('no key frame')
  const middle = pos + Math.floor(size / 2)
  await writeFile(clip, (await readFile(clip)).fill(noise, middle, pos + size))
  const found: VideoWarning[] = []
  const frames = await collect(readVideo(clip, undefined, (warnings) => found.push(...warnings)))
  expect(frames.length).toBeGreaterThanOrEqual(59)
  // Decoders work ahead of the frame that comes out.
  expect(found).toEqual([
    {
      firstFrame: expect.toSatisfy((frame: number) => frame > at - 20 && frame <= at) as number,
      lastFrame: expect.toSatisfy((frame: number) => frame < at + 20) as number,
      detail: expect.stringMatching(/./) as string
    }
  ])
})

test('of a recording that begins between key frames, what can be decoded comes', async () => {
  const folder = await temporaryFolder()
  const whole = await makeClip(path.join(folder, 'whole.ts'), 60, ['-c:v', 'libx264', '-g', '20', '-bf', '0'])
  const bytes = await readFile(whole)
  const clip = path.join(folder, 'late.ts')
  const packets = Math.floor(bytes.length / 188)
  // The tables stand in the first packets.
  await writeFile(
    clip,
    Buffer.concat([bytes.subarray(0, 188 * 3), bytes.subarray(188 * Math.floor(packets / 5))])
  )
  const warnings = vi.fn()
  const frames = await collect(readVideo(clip, undefined, warnings))
  expect(frames.length).toBeGreaterThanOrEqual(40)
  expect(warnings).toHaveBeenCalledOnce()
})

test('a recording that was cut off has the frames that are in it, and a warning', async () => {
  const clip = await makeClip(path.join(await temporaryFolder(), 'a.mkv'), 60, [
    '-c:v',
    'libx264',
    '-g',
    '10'
  ])
  await truncate(clip, Math.round((await stat(clip)).size * 0.6))
  const warnings = vi.fn<(found: VideoWarning[]) => void>()
  const { length } = await collect(readVideo(clip, undefined, warnings))
  expect(length).toBeGreaterThan(10)
  expect(length).toBeLessThan(60)
  expect(warnings.mock.lastCall?.[0].at(-1)).toMatchObject({ detail: expect.any(String) })
})

test('frames that are lost in the middle are counted, and the rest comes', async () => {
  const clip = await makeClip(path.join(await temporaryFolder(), 'a.mp4'), 60, [
    '-c:v',
    'libx264',
    '-g',
    '10'
  ])
  const [first, next] = (await packetsOf(clip)).filter((_packet, i) => i === 25 || i === 30)
  await writeFile(clip, (await readFile(clip)).fill(0, first?.pos, next?.pos))
  const found: VideoWarning[] = []
  const frames = await collect(readVideo(clip, undefined, (warnings) => found.push(...warnings)))
  expect(frames.length).toBeLessThan(60)
  expect(frames.at(-1)?.timestampUs).toBe(Math.round((59 * 1e6) / 12))
  const detail = `${60 - frames.length} of 60 frames could not be decoded and are left out`
  expect(found[0]).toEqual({ firstFrame: 0, lastFrame: frames.length - 1, detail })
})
