/**
 * What it costs to refine depth along the picture: `npm run bench refine`. Frames of 1920x1080 and their maps go through the
 * same code as in a worker, on this thread, with and without; processor time per megapixel of the result, rounds in turn,
 * medians.
 */
import sharp from 'sharp'
import type { ValidFrame } from '../src/wire/frame.ts'
import { identity } from '../src/maps/affine-map.ts'
import type { Size } from '../src/maps/bilinear.ts'
import { guideOfRgb } from '../src/maps/guide.ts'
import type { DepthMap } from '../src/inference/pixels/postprocess.ts'
import { encodeDepth } from '../src/inference/pixels/postprocess.ts'
import { configureDecoder, prepareFrame } from '../src/inference/pixels/preprocess.ts'
import { sessionOptions } from '../src/session.ts'
import { median, report } from './report.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 15)
const source = { width: 1920, height: 1080 }
const megapixels = (source.width * source.height) / 1e6
/** As written in the papers, height first. */
const networks = [
  { name: '154x280', size: { width: 280, height: 154 } },
  { name: '518x924', size: { width: 924, height: 518 } }
]
const labels = {
  ...{ flags: 0, seq: 0, timestampUs: 0, epoch: 1, queueUs: 0, computeUs: 0 },
  quantity: 'relative-inverse-depth'
} as const

interface Case {
  name: string
  to: string
  refined: () => Promise<unknown>
  plain: () => Promise<unknown>
}

configureDecoder()
const rgb = picture(source)
const cases = [...networks.flatMap(encodings), ...(await decodings())]
for (const { name, to, refined, plain } of cases) {
  const ms: { refined: number[]; plain: number[] } = { refined: [], plain: [] }
  for (let round = -3; round < rounds; round++) {
    const [withIt, without] = [await cpuMs(refined), await cpuMs(plain)]
    if (round < 0) continue
    ms.refined.push(withIt / megapixels)
    ms.plain.push(without / megapixels)
  }
  const ratio = median(ms.refined.map((value, round) => value / ms.plain[round]!))
  const value = rounded(median(ms.refined))
  report({ name, value, unit: 'ms/megapixel', ratio, to: `${to} (${rounded(median(ms.plain))} ms)` })
}

function encodings({ name, size }: { name: string; size: Size }): Case[] {
  const map = mapOf(size)
  const guide = guideOfRgb(rgb, source)
  return (['u16', 'f32', 'jpeg'] as const).map((format) => {
    const { output } = sessionOptions({ output: { format, size: 'source', refine: true } }, 'any')
    return {
      name: `depth of 1080p from ${name} as ${format}, refined`,
      to: 'the same without',
      refined: () => encodeDepth({ ...map, guide }, labels, output),
      plain: () => encodeDepth({ ...map, guide: null }, labels, output)
    }
  })
}

async function decodings(): Promise<Case[]> {
  const jpeg = await sharp(rgb, { raw: { ...source, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer()
  const payloads = { jpeg, nv12: rgb.subarray(0, rgb.length / 2), rgb24: rgb }
  const options = { rule: { multiple: 14, lowerBound: 154, maxArea: 68_600 }, maxPixels: 2 ** 24 }
  return Object.entries(payloads).map(([codec, payload]) => {
    const frame = { header: { seq: 0, codec, ...source }, payload } as ValidFrame
    return {
      name: `frame of 1080p as ${codec}, with its guide`,
      to: 'the same without',
      refined: () => prepareFrame(frame, { ...options, withGuide: true }),
      plain: () => prepareFrame(frame, { ...options, withGuide: false })
    }
  })
}

function mapOf(size: Size): Omit<DepthMap, 'guide'> {
  const depth = Float32Array.from(
    { length: size.width * size.height },
    (_, i) => 2 + Math.sin(i / 500) + Number(i % size.width > size.width / 2)
  )
  const range = { min: 1, max: 4 }
  return { depth, size, source, affine: identity, range, display: range }
}

/** With as much detail as video has: a smooth picture with some noise. */
function picture({ width, height }: Size): Uint8Array {
  const pixels = new Uint8Array(width * height * 3)
  for (let i = 0, noise = 1; i < pixels.length; i++) {
    noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0
    pixels[i] = 128 + 90 * Math.sin(i / 700) + (noise >>> 28)
  }
  return pixels
}

async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
