import { readFile } from 'node:fs/promises'
import { getPriority } from 'node:os'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { guideOfRgb } from '../../../src/maps/guide.ts'
import { nobody } from '../../../src/inference/fairness/fair-gate.ts'
import { MapEncoder } from '../../../src/inference/pixels/encoding/map-encoder.ts'
import { PixelPool } from '../../../src/inference/pixels/pixel-pool.ts'
import { ownPixels } from '../../../src/inference/pixels/pixel-work.ts'
import type { DepthMap } from '../../../src/inference/pixels/postprocess.ts'
import { sessionOptions } from '../../../src/session.ts'
import type { OutputFormat } from '../../../src/wire/output.ts'
import { noise } from '../frames.ts'

const size = { width: 140, height: 98 }
const source = { width: 640, height: 448 }
const labels = {
  ...{ flags: 1, seq: 9, timestampUs: 1234, epoch: 3, queueUs: 5, computeUs: 6 },
  quantity: 'relative-inverse-depth'
} as const

let encoder: MapEncoder
beforeAll(() => {
  encoder = new MapEncoder()
})
afterAll(() => encoder.close())

function mapOf(seed: number, to = source, guide: DepthMap['guide'] = null): DepthMap {
  const depth = Float32Array.from({ length: size.width * size.height }, (_, i) => seed + Math.sin(i / 60))
  const affine = { scale: 2, offset: 1, floor: 0, limit: 100 }
  const range = { min: 2 * seed - 1, max: 2 * seed + 3 }
  return { depth, size, source: to, guide, affine, range, display: { min: 0, max: 4 } }
}

function outputOf(format: OutputFormat, refine = false) {
  return sessionOptions({ output: { format, size: 'source', refine } }, 'any').output
}

test.each(['u16', 'f16', 'f32', 'png16', 'jpeg', 'webp'] satisfies OutputFormat[])(
  'a map as %s, refined or not, is what it is on this thread',
  async (format) => {
    const guide = guideOfRgb(noise(2, source), source)
    for (const map of [mapOf(1), mapOf(1, source, guide)]) {
      const output = outputOf(format, map.guide !== null)
      const [near, far] = [
        await ownPixels.encode(map, labels, output),
        await encoder.encode(map, labels, output, nobody)
      ]
      expect(Buffer.compare(far, near)).toBe(0)
    }
  }
)

test('maps of many frames at once do not mix', async () => {
  const seeds = Array.from({ length: 6 }, (_, i) => i)
  const output = outputOf('f32')
  const messages = await Promise.all(seeds.map((seed) => encoder.encode(mapOf(seed), labels, output, nobody)))
  for (const seed of seeds)
    expect(Buffer.compare(messages[seed]!, await ownPixels.encode(mapOf(seed), labels, output))).toBe(0)
})

test('a map whose encoder ends fails by name, and the next has another', async () => {
  const own = new MapEncoder()
  onTestFinished(() => own.close())
  const output = outputOf('png16')
  await own.encode(mapOf(1), labels, output, nobody)
  const [pid] = own.pids as [number]
  process.kill(pid, 'SIGSTOP')
  const lost = own.encode(mapOf(2), labels, output, nobody)
  process.kill(pid, 'SIGKILL')
  await expect(lost).rejects.toMatchObject({
    code: 'EXECUTOR_FAILED',
    message: 'Frame 9: the encoder of its map ended with SIGKILL'
  })
  const next = await own.encode(mapOf(3), labels, output, nobody)
  expect(Buffer.compare(next, await ownPixels.encode(mapOf(3), labels, output))).toBe(0)
})

test('a map that takes long is encoded behind others, and those of live frames do not wait for it', async () => {
  const pool = new PixelPool()
  onTestFinished(() => pool.close())
  const [output, large] = [outputOf('png16'), { width: 3000, height: 2000 }]
  const pixels = pool.of(nobody)
  const whole = await pixels.encode(mapOf(1, large), labels, output)
  expect(Buffer.compare(whole, await ownPixels.encode(mapOf(1, large), labels, output))).toBe(0)
  const [pid] = pool.encoderPids as [number]
  // Its nice value is the 19th field; the second, in parentheses, is its name.
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
  expect(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])).toBe(Math.min(19, getPriority() + 10))
  process.kill(pid, 'SIGSTOP')
  const slow = pixels.encode(mapOf(2, large), labels, output)
  const live = await pixels.encode(mapOf(3), labels, output)
  expect(Buffer.compare(live, await ownPixels.encode(mapOf(3), labels, output))).toBe(0)
  process.kill(pid, 'SIGCONT')
  expect((await slow).byteLength).toBeGreaterThan(0)
})

test('an encoder knows no secret of the server', async () => {
  process.env['LEADLINE_TEST_SECRET'] = 'lk_secret'
  onTestFinished(() => void delete process.env['LEADLINE_TEST_SECRET'])
  const own = new MapEncoder()
  onTestFinished(() => own.close())
  await own.encode(mapOf(1), labels, outputOf('u16'), nobody)
  const known = await readFile(`/proc/${own.pids[0]}/environ`, 'latin1')
  expect(known).toContain('PATH=')
  expect(known).not.toContain('LEADLINE')
})
