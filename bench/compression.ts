/**
 * What it costs, and saves, to compress a depth map of 16 bits for the wire: `npm run bench compression`. Maps of the default
 * model on the generated clip, at the network's size and at the source's; processor time on this thread, the best of some
 * rounds, and bytes as a share of the plain ones.
 */
import { constants, deflateSync } from 'node:zlib'
import { pino } from 'pino'
import sharp from 'sharp'
import { resizeBilinear } from '../src/maps/bilinear.ts'
import type { Size } from '../src/maps/bilinear.ts'
import { loadConfig } from '../src/config.ts'
import { OrtNodeExecutor } from '../src/inference/executors/ort-node/ort-node.ts'
import { planOf, servedModels, sessionPlan } from '../src/inference/index.ts'
import { deflateU16, inflateU16 } from '../src/inference/pixels/deflated-u16.ts'
import { prepareRgb } from '../src/inference/pixels/preprocess.ts'
import { networkSize } from '../src/inference/pixels/resolution.ts'
import { toPlanes } from '../src/wire/u16-planes.ts'
import { generateClip } from '../src/video/index.ts'
import { median, report } from './report.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 9)
const source = { width: 640, height: 360 }
const window = 16

for (const { name, size, maps } of await realMaps()) {
  const plainBytes = size.width * size.height * 2
  for (const [method, pack] of Object.entries(methods(size))) {
    const packed = await Promise.all(maps.map(pack))
    const share = median(packed.map((bytes) => bytes.byteLength / plainBytes))
    const to = `${plainBytes} bytes plain`
    report({
      name: `${name}, ${method}, bytes`,
      value: Math.round(share * plainBytes),
      unit: 'B',
      ratio: share,
      to
    })
    report({ name: `${name}, ${method}`, value: rounded(await bestMs(maps, pack)), unit: 'ms' })
  }
  const ready = maps.map((map) => deflateU16(map, size.width))
  const unpack = (bytes: Uint8Array) => inflateU16(bytes, size)
  report({ name: `${name}, back from planes, RLE`, value: rounded(await bestMs(ready, unpack)), unit: 'ms' })
}

type Pack = (map: Uint16Array) => Uint8Array | Promise<Uint8Array>

function methods({ width, height }: Size): Record<string, Pack> {
  const bytes = (map: Uint16Array) => new Uint8Array(map.buffer, map.byteOffset, map.byteLength)
  return {
    'PNG, level 1': (map) =>
      sharp(map, { raw: { width, height, channels: 1 } })
        .toColourspace('grey16')
        .png({ compressionLevel: 1, adaptiveFiltering: true })
        .toBuffer(),
    RVL: rvl,
    'deflate, level 1': (map) => deflateSync(bytes(map), { level: 1 }),
    'planes, level 1': (map) => deflateSync(toPlanes(map, width), { level: 1 }),
    'planes, level 6': (map) => deflateSync(toPlanes(map, width), { level: 6 }),
    'planes, Huffman': (map) =>
      deflateSync(toPlanes(map, width), { level: 1, strategy: constants.Z_HUFFMAN_ONLY }),
    'planes, RLE': (map) => deflateU16(map, width)
  }
}

/** Wilson, "Fast Lossless Depth Image Compression" (2017): runs of zeros, and differences to the left in groups of 3 bits. */
function rvl(map: Uint16Array): Uint8Array {
  const out = new Uint8Array(map.length * 4 + 8)
  let nibbles = 0
  const put = (value: number) => {
    do {
      const nibble = (value & 7) | (value > 7 ? 8 : 0)
      out[nibbles >> 1]! |= nibbles % 2 === 0 ? nibble << 4 : nibble
      nibbles++
      value >>>= 3
    } while (value > 0)
  }
  for (let i = 0, before = 0; i < map.length;) {
    const from = i
    while (i < map.length && map[i] === 0) i++
    put(i - from)
    let end = i
    while (end < map.length && map[end] !== 0) end++
    put(end - i)
    for (; i < end; i++) {
      const difference = map[i]! - before
      put((difference << 1) ^ (difference >> 31))
      before = map[i]!
    }
  }
  return out.subarray(0, Math.ceil(nibbles / 2))
}

async function realMaps(): Promise<{ name: string; size: Size; maps: Uint16Array[] }[]> {
  const config = loadConfig({})
  const model = (await servedModels(config, pino({ level: 'silent' }))).get(config.defaultModel)
  if (!model) throw new Error(`${config.defaultModel} is not here`)
  const { resolution } = model.manifest
  const size = networkSize(source, resolution)
  const executor = new OrtNodeExecutor({ threads: 1 })
  const handle = await executor.load(planOf(sessionPlan(model, { mode: 'ovda', cacheSize: window }), size))
  const state = await executor.newState(handle)
  const depths: Float32Array[] = []
  for (const { rgb } of generateClip({ ...source, frames: 8, fps: 4 })) {
    const frame = (await prepareRgb(rgb, source, resolution)).rgb
    const [result] = await executor.step(handle, [{ state, framesSeen: depths.length, frame }])
    depths.push(Float32Array.from(result!.depth))
  }
  await executor.close()
  return [
    { name: `${size.width}x${size.height}`, size, maps: depths.map(levelled) },
    {
      name: `${source.width}x${source.height}`,
      size: source,
      maps: depths.map((depth) => levelled(resizeBilinear(depth, size, source)))
    }
  ]
}

function levelled(depth: Float32Array): Uint16Array {
  const min = depth.reduce((least, value) => Math.min(least, value))
  const max = depth.reduce((most, value) => Math.max(most, value))
  return Uint16Array.from(depth, (value) => Math.round(((value - min) / (max - min)) * 65_535))
}

/** Of one map. */
async function bestMs<T>(items: readonly T[], work: (item: T) => unknown): Promise<number> {
  const ms: number[] = []
  for (let round = -2; round < rounds; round++) {
    const before = process.cpuUsage()
    for (const item of items) await work(item)
    const { user, system } = process.cpuUsage(before)
    if (round >= 0) ms.push((user + system) / 1000 / items.length)
  }
  return Math.min(...ms)
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
