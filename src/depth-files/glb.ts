import type { Quantity } from '../wire/frame.ts'
import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { unitOf } from '../maps/unit.ts'
import { createPictureArchive, plain } from './picture-archive.ts'
import type { PointCloud } from './point-cloud.ts'
import { distances, pointCloud } from './point-cloud.ts'

/** glb.zip: points in glTF's axes (x to the right, y up, z towards the viewer), with colours and the depth's own value. */
export function createGlb(options: DepthFileOptions): Promise<DepthFile> {
  return createPictureArchive(options, {
    extension: 'glb',
    levelsOf: () => plain,
    encode: (map) => glbFile(pointCloud(map, options), options.quantity, map.timestampUs / 1e6)
  })
}

/** glTF's numbers for types. */
const float = 5126
const unsignedByte = 5121
/** What the file's name means to a device: a list of points; vertex data. */
const points = 0
const arrayBuffer = 34_962

/** Binary glTF 2.0: one mesh of points. */
function glbFile(
  { count, positions, colors, values }: PointCloud,
  quantity: Quantity,
  seconds: number
): Uint8Array {
  const placed = positions.map((value, i) => (i % 3 === 0 ? value : -value))
  const rgba = new Uint8Array(count * 4).fill(255)
  for (let point = 0; point < count; point++) rgba.set(colors.subarray(3 * point, 3 * point + 3), 4 * point)
  const parts = [placed, rgba, values].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)
  )
  const views = parts.map(({ byteLength }, i) => ({
    ...{ buffer: 0, byteLength, target: arrayBuffer },
    byteOffset: parts.slice(0, i).reduce((sum, part) => sum + part.byteLength, 0)
  }))
  const distanceUnit = quantity === 'metric-depth' ? 'metre' : { ...distances }
  const document = {
    asset: { version: '2.0', generator: 'Leadline' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0, COLOR_0: 1, _DEPTH: 2 }, mode: points }] }],
    accessors: [
      { bufferView: 0, componentType: float, count, type: 'VEC3', ...bounds(placed) },
      { bufferView: 1, componentType: unsignedByte, normalized: true, count, type: 'VEC4' },
      { bufferView: 2, componentType: float, count, type: 'SCALAR' }
    ],
    bufferViews: views,
    buffers: [{ byteLength: parts.reduce((sum, part) => sum + part.byteLength, 0) }],
    extras: { quantity, unit: unitOf(quantity), time: seconds, distances: distanceUnit }
  }
  const json = padded(Buffer.from(JSON.stringify(document)), 0x20)
  const binary = Buffer.concat(parts)
  const total = 12 + 8 + json.byteLength + 8 + binary.byteLength
  return Buffer.concat([
    Buffer.from('glTF'),
    words(2, total),
    ...[words(json.byteLength), Buffer.from('JSON'), json],
    ...[words(binary.byteLength), Buffer.from('BIN\0'), binary]
  ])
}

function bounds(positions: Float32Array): { min: number[]; max: number[] } {
  const min = [Infinity, Infinity, Infinity]
  const max = [-Infinity, -Infinity, -Infinity]
  for (let i = 0; i < positions.length; i++) {
    min[i % 3] = Math.min(min[i % 3]!, positions[i]!)
    max[i % 3] = Math.max(max[i % 3]!, positions[i]!)
  }
  return { min, max }
}

/** To a multiple of four bytes. All of the binary part are. */
function padded(bytes: Buffer, fill: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.byteLength & 3, fill)])
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeUInt32LE(value, i * 4))
  return bytes
}
