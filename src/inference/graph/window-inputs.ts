import type { GraphBuilder, Value } from './graph-builder.ts'
import type { GraphContext } from './graph-context.ts'
import type { Matrix } from './matrix.ts'
import type { WindowShape } from '../latents/window.ts'

export const windowInputNames = {
  positions: 'positions',
  mask: 'mask',
  queryPosition: 'query_position',
  written: 'written'
} as const

/** What hides a slot in float16: the softmax gives it 0, and a score added to it stays finite (the least is -65504). */
const leastHalfMask = -3e4

/**
 * The inputs that say, for every row of the batch by itself, what its ring holds just now (see window.ts). The same
 * tables serve every phase of the ring: they are gathered by place, so nothing is ever shifted.
 */
export class WindowInputs {
  /** int64 [B] */
  readonly queryPosition: Value
  /** float [B, h*slots]: the mask, once per head. */
  readonly maskRow: Value
  /** bool [slots, 1, 1] per row: which slots take the frame's latents; none where the graph does not write them itself. */
  readonly isWritten: readonly Value[]
  private readonly graph: GraphBuilder
  private readonly positions: Value
  private readonly batch: number
  private readonly shape: WindowShape
  private readonly heads: number

  constructor({ graph, batch, window: shape, architecture, ring }: GraphContext) {
    const { slots } = shape
    const heads = architecture.temporalHeads
    this.graph = graph
    this.batch = batch
    this.shape = shape
    this.heads = heads
    this.positions = graph.input(windowInputNames.positions, 'int64', [batch, slots])
    this.queryPosition = graph.input(windowInputNames.queryPosition, 'int64', [batch])
    this.isWritten = ring === 'inPlace' ? [] : this.writtenSlots()
    const perHead = graph.node('Expand', [
      graph.reshape(this.mask(), [batch, 1, slots]),
      graph.integers([batch, heads, slots])
    ])
    this.maskRow = graph.reshape(perHead, [batch, heads * slots])
  }

  private mask(): Value {
    const { graph, batch, shape } = this
    const mask = graph.input(windowInputNames.mask, 'float32', [batch, shape.slots])
    if (graph.floatType === 'float32') return mask
    const bounded = graph.node('Max', [mask, graph.vector(Float32Array.of(leastHalfMask), 'float32')])
    return graph.cast(bounded, 'float16')
  }

  private writtenSlots(): Value[] {
    const { graph, batch, shape } = this
    const written = graph.input(windowInputNames.written, 'float32', [batch, shape.slots])
    return graph
      .split(written, batch)
      .map((row) => graph.node('Cast', [graph.reshape(row, [shape.slots, 1, 1])], { attributes: { to: 9 } }))
  }

  /** [C, h*places] by place in the window → [B, C, h*slots] by slot of the ring. */
  scoreTable({ rows, data }: Matrix): Value {
    const table = this.graph.constant(data, [rows, this.heads, this.shape.places])
    const bySlot = this.graph.node('Gather', [table, this.positions], { attributes: { axis: 2 } })
    const perSample = this.graph.transpose(bySlot, [2, 0, 1, 3])
    return this.graph.reshape(perSample, [this.batch, rows, this.heads * this.shape.slots])
  }

  /** [h*places, C] by place in the window → [B, h*slots, C] by slot of the ring. */
  valueTable({ columns, data }: Matrix): Value {
    const table = this.graph.constant(data, [this.heads, this.shape.places, columns])
    const bySlot = this.graph.node('Gather', [table, this.positions], { attributes: { axis: 1 } })
    const perSample = this.graph.transpose(bySlot, [1, 0, 2, 3])
    return this.graph.reshape(perSample, [this.batch, this.heads * this.shape.slots, columns])
  }
}
