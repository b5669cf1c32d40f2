/** A tile of smooth noise that repeats: the grain of every surface in the test clip. The same on every machine. */
export interface Noise {
  /** Value in [0, 1] at a place in metres. */
  at(u: number, v: number): number
}

const tileSize = 256
const texelsPerMetre = 48

export function createNoise(): Noise {
  const tile = fractalTile()
  return {
    at(u, v) {
      const x = u * texelsPerMetre
      const y = v * texelsPerMetre
      const left = Math.floor(x)
      const top = Math.floor(y)
      const row = (top & (tileSize - 1)) * tileSize
      const nextRow = ((top + 1) & (tileSize - 1)) * tileSize
      const column = left & (tileSize - 1)
      const nextColumn = (left + 1) & (tileSize - 1)
      const across = x - left
      const above = mix(tile[row + column] ?? 0, tile[row + nextColumn] ?? 0, across)
      const below = mix(tile[nextRow + column] ?? 0, tile[nextRow + nextColumn] ?? 0, across)
      return mix(above, below, y - top)
    }
  }
}

/** Six octaves of value noise, each on a lattice twice as fine and a little over half as strong as the last. */
function fractalTile(): Float32Array {
  const tile = new Float32Array(tileSize * tileSize)
  let strength = 0.47
  for (let cell = 64; cell >= 2; cell /= 2) {
    for (let y = 0; y < tileSize; y++) {
      for (let x = 0; x < tileSize; x++)
        tile[y * tileSize + x]! += strength * lattice(x / cell, y / cell, tileSize / cell)
    }
    strength *= 0.55
  }
  return tile
}

function lattice(x: number, y: number, period: number): number {
  const left = Math.floor(x)
  const top = Math.floor(y)
  const right = (left + 1) % period
  const bottom = (top + 1) % period
  const across = smooth(x - left)
  const above = mix(hash(left, top, period), hash(right, top, period), across)
  const below = mix(hash(left, bottom, period), hash(right, bottom, period), across)
  return mix(above, below, smooth(y - top))
}

/** An integer hash (the finalizer of MurmurHash3) as a value in [0, 1). */
function hash(x: number, y: number, salt: number): number {
  let h = Math.imul(x, 0x85ebca6b) ^ Math.imul(y, 0xc2b2ae35) ^ Math.imul(salt, 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t)
}

function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t
}
