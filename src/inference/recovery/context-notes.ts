import type { Static, TSchema } from 'typebox'
import Type from 'typebox'
import Value from 'typebox/value'
import { LeadlineError } from '../../errors.ts'
import { continuities } from '../../session.ts'
import type { Alignment, Continuity } from '../../session.ts'
import type { Size } from '../pixels/resolution.ts'
import type { DepthView } from '../stability/depth-view.ts'
import { gridSize } from '../stability/frame-grid.ts'
import type { Scene } from '../stability/scene-cut.ts'

/** What a session's frames have taught it besides its latent cache, and what can no longer be told by their pixels. */
export interface ContextNotes {
  /** Of the frames: what is learned in one network says nothing in another. */
  planKey: string
  size: Size
  /** SHA-256 of each frame's payload as it was received, as hex. */
  payloadDigests: string[]
  scene: Scene
  view: DepthView | null
  /** What became of the past in a loss that the client is still to be told of, and how depth is joined since; null: nothing. */
  loss: UntoldLoss | null
}

export interface UntoldLoss {
  continuity: Continuity
  alignment: Alignment | null
}

const version = 1

const finite = Type.Number({ minimum: -3.5e38, maximum: 3.5e38 })
const side = Type.Integer({ minimum: 1, maximum: 65_535 })
/** Of float32, little-endian, as base64. */
const floats = Type.String()
const range = Type.Object({ min: finite, max: finite })
const line = Type.Object({ scale: Type.Number({ exclusiveMinimum: 0, maximum: 3.5e38 }), shift: finite })
const grid = Type.Object({ cell: side, width: side, height: side, luma: floats })
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const notesSchema = Type.Object({
  version: Type.Literal(version),
  planKey: Type.String(),
  size: Type.Object({ width: side, height: side }),
  payloadDigests: Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  scene: Type.Object({
    pattern: orNull(Type.Object({ width: side, height: side, values: floats })),
    change: finite,
    deviation: finite,
    length: Type.Integer({ minimum: 0 })
  }),
  view: orNull(
    Type.Object({
      stabilizer: orNull(Type.Object({ grid, depth: floats, correction: line, zoom: finite })),
      steady: orNull(Type.Object({ shown: range, running: range, isMoving: Type.Boolean() })),
      display: range,
      alignment: orNull(line),
      last: Type.Object({ seq: Type.Integer(), cells: floats })
    })
  ),
  // Older ones have none.
  loss: Type.Optional(
    orNull(
      Type.Object({
        continuity: Type.Enum([...continuities]),
        alignment: orNull(Type.Object({ scale: finite, offset: finite, residual: finite }))
      })
    )
  )
})
type WrittenNotes = Static<typeof notesSchema>

export function writeNotes({ scene, view, ...notes }: ContextNotes): WrittenNotes {
  const { pattern } = scene
  return {
    version,
    ...notes,
    scene: { ...scene, pattern: pattern && { ...pattern, values: toBase64(pattern.values) } },
    view: view && {
      ...view,
      stabilizer: view.stabilizer && {
        ...view.stabilizer,
        grid: { ...view.stabilizer.grid, luma: toBase64(view.stabilizer.grid.luma) },
        depth: toBase64(view.stabilizer.depth)
      },
      last: { ...view.last, cells: toBase64(view.last.cells) }
    }
  }
}

/** Throws CONTEXT_INVALID for what `writeNotes` could not have written. */
export function readNotes(written: unknown): ContextNotes {
  if (!Value.Check(notesSchema, written)) {
    const [error] = Value.Errors(notesSchema, written)
    invalid(`${error?.instancePath ?? ''} ${error?.message ?? 'of an unknown form'}`.trim())
  }
  const { planKey, size, payloadDigests, scene, view, loss = null } = written
  const cells = gridSize(size)
  const { pattern } = scene
  return {
    ...{ planKey, size, payloadDigests, loss },
    scene: { ...scene, pattern: pattern && { ...pattern, values: fromBase64(pattern.values, pattern) } },
    view: view && {
      ...view,
      stabilizer: view.stabilizer && {
        ...view.stabilizer,
        grid: { ...cells, luma: fromBase64(view.stabilizer.grid.luma, cells) },
        depth: fromBase64(view.stabilizer.depth, cells)
      },
      last: { ...view.last, cells: fromBase64(view.last.cells, cells) }
    }
  }
}

function toBase64(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')
}

function fromBase64(text: string, { width, height }: Size): Float32Array {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 4 * width * height)
    invalid(`${bytes.length} bytes are no grid of ${width}x${height} values`)
  const values = new Float32Array(Uint8Array.from(bytes).buffer)
  if (!values.every(Number.isFinite)) invalid('a value is NaN or infinite')
  return values
}

function invalid(reason: string): never {
  throw new LeadlineError('CONTEXT_INVALID', `The engine's notes in the context are not valid: ${reason}`)
}
