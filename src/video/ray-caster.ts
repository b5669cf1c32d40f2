import type { Noise } from './noise.ts'
import type { RgbPicture, Size } from './reader.ts'
import { hitBall, hitCrate } from './ray-hit.ts'
import type { Camera, Thing, Vector } from './test-scene.ts'
import { lamp, room } from './test-scene.ts'

export interface Picture extends RgbPicture {
  /** Distance along the viewing direction, height x width, in metres. */
  depth: Float32Array
}

/** Focal length over half the picture's width: a horizontal view of 66 degrees. */
const focal = 1.54

/** A picture being drawn, and where its rays go. A ray of length 1 along `forward` makes its parameter the depth. */
interface Canvas extends Picture {
  camera: Camera
  noise: Noise
}

export function drawScene(size: Size, camera: Camera, things: readonly Thing[], noise: Noise): Picture {
  const { width, height } = size
  const canvas: Canvas = {
    width,
    height,
    rgb: new Uint8Array(width * height * 3),
    depth: new Float32Array(width * height).fill(Infinity),
    camera,
    noise
  }
  for (const thing of things) drawThing(canvas, thing)
  drawRoom(canvas, things)
  return { width, height, rgb: canvas.rgb, depth: canvas.depth }
}

/** Whatever the things left free. They never leave the room, so nothing of it hides them. */
function drawRoom(canvas: Canvas, things: readonly Thing[]): void {
  const { camera, width, height, depth } = canvas
  const [ox, oy, oz] = camera.position
  const direction: [number, number, number] = [0, 0, 0]
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (depth[i] !== Infinity) continue
      aim(canvas, x, y, direction)
      const [dx, dy, dz] = direction
      const tx = ((dx > 0 ? room.halfWidth : -room.halfWidth) - ox) / dx
      const ty = ((dy > 0 ? room.height : 0) - oy) / dy
      const tz = ((dz > 0 ? room.far : room.near) - oz) / dz
      const t = Math.min(tx, ty, tz)
      depth[i] = t
      const px = ox + t * dx
      const py = oy + t * dy
      const pz = oz + t * dz
      if (t === ty) drawFlat(canvas, i, px, pz, dy > 0, things)
      else if (t === tx) drawWall(canvas, i, pz, py, brightness(px, py, pz, dx > 0 ? -1 : 1, 0, 0))
      else drawWall(canvas, i, px, py, brightness(px, py, pz, 0, 0, dz > 0 ? -1 : 1))
    }
  }
}

/** The ray through the middle of a pixel. */
function aim(
  { camera, width, height }: Canvas,
  x: number,
  y: number,
  direction: [number, number, number]
): void {
  const u = (2 * x + 1 - width) / (width * focal)
  const v = (height - 2 * y - 1) / (width * focal)
  const { right, up, forward } = camera
  direction[0] = forward[0] + u * right[0] + v * up[0]
  direction[1] = forward[1] + u * right[1] + v * up[1]
  direction[2] = forward[2] + u * right[2] + v * up[2]
}

/** Floor tiles, whose contrast fades with distance as a lens would blur them, or the ceiling. */
function drawFlat(
  canvas: Canvas,
  i: number,
  x: number,
  z: number,
  isCeiling: boolean,
  things: readonly Thing[]
): void {
  const grain = canvas.noise.at(x, z)
  if (isCeiling) return paint(canvas, i, 0.86, 0.85, 0.82, (0.62 + 0.18 * grain) * 0.85)
  const odd = (Math.floor(x * 1.6) + Math.floor(z * 1.6)) & 1
  const contrast = 0.3 / (1 + 0.06 * (canvas.depth[i] ?? 0) ** 2)
  const tile = 0.72 + (odd ? contrast : -contrast)
  const light = brightness(x, 0, z, 0, 1, 0) * shade(x, z, things) * (0.65 + 0.6 * grain)
  paint(canvas, i, tile, tile * 0.88, tile * 0.74, light)
}

/** Panels with dark joints and a band of paint. */
function drawWall(canvas: Canvas, i: number, u: number, v: number, lit: number): void {
  const grain = canvas.noise.at(u * 0.8, v * 0.8)
  const along = Math.abs(u * 0.8 - Math.round(u * 0.8))
  const joint = along < 0.012 || Math.abs(v - 1.05) < 0.02 ? 0.55 : 1
  const light = lit * (0.7 + 0.5 * grain) * joint
  if (v < 1.05) paint(canvas, i, 0.42, 0.5, 0.56, light)
  else paint(canvas, i, 0.85, 0.82, 0.72, light)
}

/** How much a soft shadow under each thing leaves of the light on the floor. */
function shade(x: number, z: number, things: readonly Thing[]): number {
  let light = 1
  for (const thing of things) {
    const dx = x - thing.center[0]
    const dz = z - thing.center[2]
    const far = (dx * dx + dz * dz) / (thing.shadow * thing.shadow)
    if (far < 1) light *= 1 - 0.6 * (1 - far) * (1 - far)
  }
  return light
}

function drawThing(canvas: Canvas, thing: Thing): void {
  const { camera, depth, width } = canvas
  const bounds = boundsOf(canvas, thing)
  const direction: [number, number, number] = [0, 0, 0]
  for (let y = bounds.top; y < bounds.bottom; y++) {
    for (let x = bounds.left; x < bounds.right; x++) {
      aim(canvas, x, y, direction)
      const hit =
        thing.kind === 'ball'
          ? hitBall(thing, camera.position, direction)
          : hitCrate(thing, camera.position, direction)
      const i = y * width + x
      if (hit === null || hit.t >= (depth[i] ?? 0)) continue
      depth[i] = hit.t
      const [px, py, pz] = hit.point
      const [nx, ny, nz] = hit.normal
      const light =
        brightness(px, py, pz, nx, ny, nz) * (0.75 + 0.45 * canvas.noise.at(hit.u, hit.v)) * hit.edge
      paint(canvas, i, thing.color[0], thing.color[1], thing.color[2], light)
    }
  }
}

/** The pixels that a thing may cover: the picture of the sphere around it, with room to spare. */
function boundsOf(
  { camera, width, height }: Canvas,
  thing: Thing
): { left: number; right: number; top: number; bottom: number } {
  const radius = thing.kind === 'ball' ? thing.radius : Math.hypot(...thing.halfSize)
  const offset: Vector = [
    thing.center[0] - camera.position[0],
    thing.center[1] - camera.position[1],
    thing.center[2] - camera.position[2]
  ]
  const away = dot(offset, camera.forward)
  if (away + radius < 0.05) return { left: 0, right: 0, top: 0, bottom: 0 }
  if (away - radius < 0.2) return { left: 0, right: width, top: 0, bottom: height }
  const scale = (width * focal) / 2
  const reach = (radius / (away - radius)) * scale * 1.15
  const x = width / 2 + (dot(offset, camera.right) / away) * scale
  const y = height / 2 - (dot(offset, camera.up) / away) * scale
  return {
    left: Math.max(0, Math.floor(x - reach)),
    right: Math.min(width, Math.ceil(x + reach)),
    top: Math.max(0, Math.floor(y - reach)),
    bottom: Math.min(height, Math.ceil(y + reach))
  }
}

/** Light of the lamp on a surface, falling off with distance, plus what comes from everywhere. */
function brightness(x: number, y: number, z: number, nx: number, ny: number, nz: number): number {
  const lx = lamp[0] - x
  const ly = lamp[1] - y
  const lz = lamp[2] - z
  const distance = Math.sqrt(lx * lx + ly * ly + lz * lz)
  const facing = Math.max(0, (lx * nx + ly * ny + lz * nz) / distance)
  return 0.36 + (1.15 * facing) / (0.7 + 0.07 * distance * distance)
}

function paint({ rgb }: Canvas, i: number, red: number, green: number, blue: number, light: number): void {
  rgb[i * 3] = Math.min(255, 255 * red * light)
  rgb[i * 3 + 1] = Math.min(255, 255 * green * light)
  rgb[i * 3 + 2] = Math.min(255, 255 * blue * light)
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
