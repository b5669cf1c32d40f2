import fc from 'fast-check'
import { expect, test } from 'vitest'
import { corrected, stabilize } from '../../../src/inference/stability/depth-stabilizer.ts'
import type { StabilizerState } from '../../../src/inference/stability/depth-stabilizer.ts'
import { depthOfCells, frameGrid } from '../../../src/inference/stability/frame-grid.ts'
import { blobs } from '../pictures.ts'
import type { View } from '../pictures.ts'

const size = { width: 140, height: 98 }
const grid = frameGrid(blobs(1, size), size)
const depth = Float32Array.from(
  { length: size.width * size.height },
  (_, i) => 2 + Math.sin(i / 997) + Math.floor(i / size.width) / size.height
)
const cells = depthOfCells(depth, size, grid)
const drifted = (map: Float32Array, scale: number, shift: number) => map.map((value) => value * scale + shift)

/** Corrected maps of frames whose network output is given. */
function run(frames: readonly { view?: View; depth: Float32Array }[]): StabilizerState[] {
  const states: StabilizerState[] = []
  for (const { view, depth: map } of frames) {
    const seen = view === undefined ? grid : frameGrid(blobs(1, size, view), size)
    states.push(stabilize(states.at(-1) ?? null, seen, map))
  }
  return states
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

test('the first map of an epoch is left as it is', () => {
  const [state] = run([{ depth: cells }])
  expect(state!.correction).toEqual({ scale: 1, shift: 0 })
  expect(corrected(cells, state!.correction)).toEqual(cells)
})

test('where the picture is still, a drift of scale and shift leaves the depth within two per cent of where it was', () => {
  const frames = Array.from({ length: 40 }, (_, i) => ({
    depth: drifted(cells, 1 + 0.1 * Math.sin(i / 6), 0.2 * Math.sin(i / 9))
  }))
  for (const state of run(frames)) {
    const worst = state.depth.reduce((most, value, i) => Math.max(most, Math.abs(value / cells[i]! - 1)), 0)
    expect(worst).toBeLessThan(0.02)
  }
})

test('where the camera pans across a wall, drift is taken out as well', () => {
  const frames = Array.from({ length: 20 }, (_, i) => ({
    view: { right: 2 * i },
    depth: drifted(cells, 1 + 0.01 * i, 0)
  }))
  const last = run(frames).at(-1)!
  expect(last.correction.scale).toBeLessThan(0.87)
})

test('when the camera comes nearer, depth follows at once', () => {
  const frames = Array.from({ length: 20 }, (_, i) => ({
    view: { zoom: 1.02 ** i },
    depth: drifted(cells, 1.02 ** i, 0)
  }))
  for (const [i, state] of run(frames).entries())
    expect(meanOf(state.depth) / meanOf(frames[i]!.depth)).toBeCloseTo(1, 1)
})

test('an object that moves before a still background does not move the background', () => {
  const isObject = (i: number) => i % grid.width < 12
  const near = cells.map((value, i) => (isObject(i) ? value + 3 : value))
  const luma = grid.luma.map((value, i) => (isObject(i) ? 255 - value : value))
  const after = stabilize(stabilize(null, grid, cells), { ...grid, luma }, near)
  expect(after.correction.scale).toBeCloseTo(1, 1)
  for (const [i, value] of after.depth.entries())
    if (!isObject(i)) expect(Math.abs(value - cells[i]!)).toBeLessThan(0.1)
})

test('a correction leaks away once nothing is still', () => {
  const held = run([{ depth: cells }, { depth: drifted(cells, 1.3, 0) }])
  let state = held.at(-1)!
  expect(state.correction.scale).toBeLessThan(0.8)
  const others = [2, 3, 4, 5].map((seed) => frameGrid(blobs(seed, size), size))
  for (let i = 0; i < 300; i++) state = stabilize(state, others[i % 4]!, drifted(cells, 1.3, 0))
  expect(state.correction.scale).toBeGreaterThan(0.95)
})

test('whatever the maps, corrections are finite and bounded, and depth is never below 0', () => {
  const map = fc
    .record({
      low: fc.double({ min: 0, max: 1e6, noNaN: true }),
      high: fc.double({ min: 0, max: 1e6, noNaN: true })
    })
    .map(({ low, high }) => cells.map((_, i) => ((i * 7919) % 101) * 0.01 * (high - low) + low))
  fc.assert(
    fc.property(fc.array(map, { minLength: 2, maxLength: 4 }), (maps) => {
      for (const { correction, depth: result } of run(maps.map((values) => ({ depth: values })))) {
        expect(correction.scale).toBeGreaterThanOrEqual(0.5)
        expect(correction.scale).toBeLessThanOrEqual(2)
        expect(Number.isFinite(correction.shift)).toBe(true)
        expect(result.every((value) => value >= 0)).toBe(true)
      }
    }),
    { numRuns: 15 }
  )
})

test('flat maps stay flat, and keep their scale', () => {
  const flat = new Float32Array(cells.length).fill(3)
  const states = run([{ depth: flat }, { depth: flat }, { depth: new Float32Array(cells.length) }])
  for (const { correction } of states) expect(correction.scale).toBe(1)
  expect(meanOf(states[1]!.depth)).toBeCloseTo(3, 5)
})
