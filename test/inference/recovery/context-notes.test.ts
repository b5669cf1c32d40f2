import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readNotes, writeNotes } from '../../../src/inference/recovery/context-notes.ts'
import type { ContextNotes } from '../../../src/inference/recovery/context-notes.ts'
import { gridSize } from '../../../src/inference/stability/frame-grid.ts'

/** Text knows no -0. */
const finite = fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((value) => value || 0)
const scale = fc.double({ noNaN: true, min: 1e-3, max: 1e3 })
const line = fc.record({ scale, shift: finite })
const range = fc.record({ min: finite, max: finite })
const floats = (length: number) =>
  fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: length, maxLength: length })
    .map((values) => Float32Array.from(values))

const notes: fc.Arbitrary<ContextNotes> = fc
  .record({ width: fc.integer({ min: 28, max: 60 }), height: fc.integer({ min: 28, max: 60 }) })
  .chain((size) => {
    const cells = gridSize(size)
    const values = floats(cells.width * cells.height)
    const stabilizer = fc.record({
      ...{ grid: values.map((luma) => ({ ...cells, luma })), depth: values, correction: line, zoom: finite }
    })
    const steady = fc.record({ shown: range, running: range, isMoving: fc.boolean() })
    return fc.record({
      planKey: fc.string(),
      size: fc.constant(size),
      payloadDigests: fc.array(fc.stringMatching(/^[0-9a-f]{64}$/)),
      scene: fc.record({
        pattern: fc.option(floats(12).map((values) => ({ width: 4, height: 3, values }))),
        ...{ change: finite, deviation: finite, length: fc.nat() }
      }),
      view: fc.option(
        fc.record({
          ...{ stabilizer: fc.option(stabilizer), steady: fc.option(steady), display: range },
          alignment: fc.option(line),
          last: fc.record({ seq: fc.nat(), cells: values })
        })
      ),
      loss: fc.option(
        fc.record({
          continuity: fc.constantFrom('exact', 'rebuilt', 'new'),
          alignment: fc.option(fc.record({ scale: finite, offset: finite, residual: finite }))
        })
      )
    })
  })

test('notes are the same again after they were text', () => {
  fc.assert(
    fc.property(notes, (written) => {
      expect(readNotes(JSON.parse(JSON.stringify(writeNotes(written))))).toEqual(written)
    }),
    { numRuns: 50 }
  )
})

test('whatever else comes in their place is refused by name', () => {
  const refuse = (written: unknown): void => {
    expect(() => readNotes(written)).toThrow(expect.objectContaining({ code: 'CONTEXT_INVALID' }))
  }
  fc.assert(
    fc.property(fc.jsonValue(), (value) => refuse(value)),
    { numRuns: 100 }
  )
  const [written] = fc.sample(
    notes.filter(({ view }) => view !== null),
    { numRuns: 1, seed: 7 }
  )
  const good = writeNotes(written!)
  const last = { ...good.view!.last, cells: good.view!.last.cells.slice(4) }
  refuse({ ...good, view: { ...good.view!, last } })
  refuse({ ...good, view: { ...good.view!, alignment: { scale: 0, shift: 0 } } })
  const infinite = Buffer.from(Float32Array.from(written!.view!.last.cells).fill(Infinity).buffer).toString(
    'base64'
  )
  refuse({ ...good, view: { ...good.view!, last: { seq: 0, cells: infinite } } })
})
