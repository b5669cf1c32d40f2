import type { Quantity } from '../wire/frame.ts'
import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { unitOf } from '../maps/unit.ts'
import { createPictureArchive, plain } from './picture-archive.ts'
import type { PointCloud } from './point-cloud.ts'
import { distances, pointCloud } from './point-cloud.ts'

/** ply.zip: points in the axes of OpenCV's cameras, with the picture's colours and the depth's own value. */
export function createPly(options: DepthFileOptions): Promise<DepthFile> {
  return createPictureArchive(options, {
    extension: 'ply',
    levelsOf: () => plain,
    encode: (map) => plyFile(pointCloud(map, options), options.quantity, map.timestampUs / 1e6)
  })
}

const vertexBytes = 3 * 4 + 3 + 4

function plyFile(cloud: PointCloud, quantity: Quantity, seconds: number): Uint8Array {
  const head = Buffer.from(plyHeader(cloud.count, quantity, seconds))
  const body = new DataView(new ArrayBuffer(cloud.count * vertexBytes))
  for (let point = 0; point < cloud.count; point++) {
    const at = point * vertexBytes
    for (let axis = 0; axis < 3; axis++) {
      body.setFloat32(at + axis * 4, cloud.positions[3 * point + axis]!, true)
      body.setUint8(at + 12 + axis, cloud.colors[3 * point + axis]!)
    }
    body.setFloat32(at + 15, cloud.values[point]!, true)
  }
  return Buffer.concat([head, new Uint8Array(body.buffer)])
}

function plyHeader(count: number, quantity: Quantity, seconds: number): string {
  const far =
    quantity === 'metric-depth'
      ? 'metres'
      : `free of scale: the nearest point is put at ${distances.near}, the farthest at ${distances.far}`
  return [
    'ply',
    'format binary_little_endian 1.0',
    'comment axes of a camera in OpenCV: x to the right, y down, z forward; right-handed',
    `comment x y z: ${far}`,
    `comment depth: ${quantity}, unit ${unitOf(quantity)}`,
    `comment time ${seconds}`,
    `element vertex ${count}`,
    ...['x', 'y', 'z'].map((axis) => `property float ${axis}`),
    ...['red', 'green', 'blue'].map((color) => `property uchar ${color}`),
    'property float depth',
    'end_header\n'
  ].join('\n')
}
