/**
 * A room with things that move, drawn without end: for whoever has no camera at hand. Metres; x to the right, y up, z away
 * from the viewer.
 */
const size = { width: 640, height: 360 } as const
const framesPerSecond = 30
/** In pixels: a view of 64 degrees from side to side. */
const focal = 512
const room = { halfWidth: 2.4, floor: -1.3, ceiling: 1.6, near: 1.2, far: 7.5 } as const
const tile = 0.6

type Point = readonly [x: number, y: number, z: number]

/** The track draws for as long as it is live. */
export function testTrack(): MediaStreamTrack {
  const canvas = Object.assign(document.createElement('canvas'), size)
  const context = canvas.getContext('2d', { alpha: false })!
  const [track] = canvas.captureStream(framesPerSecond).getVideoTracks()
  const startMs = performance.now()
  const draw = () => {
    if (track!.readyState === 'ended') return clearInterval(timer)
    drawRoom(context, (performance.now() - startMs) / 1000)
  }
  const timer = setInterval(draw, 1000 / framesPerSecond)
  draw()
  return track!
}

function drawRoom(context: CanvasRenderingContext2D, seconds: number): void {
  const sway = 0.35 * Math.sin(seconds * 0.5)
  const see = ([x, y, z]: Point): [number, number] => [
    size.width / 2 + ((x - sway) * focal) / z,
    size.height / 2 - (y * focal) / z
  ]
  const fill = (points: readonly Point[], light: number, hue: number, saturation = 18) => {
    context.fillStyle = `hsl(${hue} ${saturation}% ${light}%)`
    context.beginPath()
    for (const point of points) context.lineTo(...see(point))
    context.fill()
  }
  drawShell(fill)
  for (const thing of thingsAt(seconds)) {
    drawShadow(context, see, thing)
    if (thing.kind === 'crate') drawCrate(fill, thing)
    else drawBall(context, see, thing)
  }
}

type Fill = (points: readonly Point[], light: number, hue: number, saturation?: number) => void

/** Farther is darker, as under a lamp at the viewer. */
const lightAt = (z: number, most: number) => most / (0.75 + 0.13 * z)

function drawShell(fill: Fill): void {
  const { halfWidth: w, floor, ceiling, near, far } = room
  fill(
    [
      [-w, ceiling, far],
      [w, ceiling, far],
      [w, floor, far],
      [-w, floor, far]
    ],
    lightAt(far, 78),
    40
  )
  for (let z = far; z > near; z -= tile) {
    const next = Math.max(near, z - tile)
    const light = lightAt(z, 70)
    for (const side of [-w, w]) {
      const panel = Math.round(z / tile) % 2 === 0 ? 0 : 5
      fill(
        [
          [side, ceiling, z],
          [side, ceiling, next],
          [side, floor, next],
          [side, floor, z]
        ],
        light + panel,
        205
      )
    }
    fill(
      [
        [-w, ceiling, z],
        [w, ceiling, z],
        [w, ceiling, next],
        [-w, ceiling, next]
      ],
      light + 14,
      45,
      10
    )
    for (let x = -w, i = 0; x < w - 0.01; x += tile, i++) {
      const isDark = (i + Math.round(z / tile)) % 2 === 0
      fill(
        [
          [x, floor, z],
          [x + tile, floor, z],
          [x + tile, floor, next],
          [x, floor, next]
        ],
        light - (isDark ? 26 : 4),
        28
      )
    }
  }
}

interface Thing {
  kind: 'crate' | 'ball'
  center: Point
  /** Half its width. */
  reach: number
  hue: number
}

/** The farthest first. */
function thingsAt(seconds: number): Thing[] {
  const things: Thing[] = [
    { kind: 'crate', center: [-1.3, room.floor + 0.5, 5.4], reach: 0.5, hue: 265 },
    {
      kind: 'ball',
      center: [0.9 * Math.cos(seconds), room.floor + 0.4, 4.2 + 0.9 * Math.sin(seconds)],
      reach: 0.4,
      hue: 210
    },
    {
      kind: 'crate',
      center: [1.4, room.floor + 0.45, 3 + 0.5 * Math.sin(seconds * 0.7)],
      reach: 0.45,
      hue: 25
    },
    {
      kind: 'ball',
      center: [
        -0.8 + 0.5 * Math.sin(seconds * 0.6),
        room.floor + 0.35 + 0.6 * Math.abs(Math.sin(seconds * 2.4)),
        2.4
      ],
      ...{ reach: 0.3, hue: 48 }
    }
  ]
  return things.sort((a, b) => b.center[2] - a.center[2])
}

function drawShadow(
  context: CanvasRenderingContext2D,
  see: (point: Point) => [number, number],
  { center: [x, , z], reach }: Thing
): void {
  const [px, py] = see([x, room.floor, z])
  context.fillStyle = 'rgb(0 0 0 / 0.3)'
  context.beginPath()
  context.ellipse(px, py, (reach * 1.3 * focal) / z, (reach * 0.45 * focal) / z, 0, 0, 2 * Math.PI)
  context.fill()
}

function drawCrate(fill: Fill, { center: [x, y, z], reach: r, hue }: Thing): void {
  const [front, back] = [z - r, z + r]
  const light = lightAt(front, 60)
  const side = x > 0 ? x - r : x + r
  fill(
    [
      [side, y + r, front],
      [side, y + r, back],
      [side, y - r, back],
      [side, y - r, front]
    ],
    light - 16,
    hue,
    45
  )
  fill(
    [
      [x - r, y + r, front],
      [x + r, y + r, front],
      [x + r, y + r, back],
      [x - r, y + r, back]
    ],
    light + 14,
    hue,
    45
  )
  fill(
    [
      [x - r, y + r, front],
      [x + r, y + r, front],
      [x + r, y - r, front],
      [x - r, y - r, front]
    ],
    light,
    hue,
    45
  )
}

function drawBall(
  context: CanvasRenderingContext2D,
  see: (point: Point) => [number, number],
  { center, reach, hue }: Thing
): void {
  const [x, y] = see(center)
  const radius = (reach * focal) / center[2]
  const light = lightAt(center[2], 62)
  const shade = context.createRadialGradient(x - radius * 0.35, y - radius * 0.4, radius * 0.1, x, y, radius)
  shade.addColorStop(0, `hsl(${hue} 70% ${light + 22}%)`)
  shade.addColorStop(1, `hsl(${hue} 65% ${light - 22}%)`)
  context.fillStyle = shade
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  context.fill()
}
