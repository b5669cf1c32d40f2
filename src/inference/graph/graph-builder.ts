import {
  dataTypes,
  encodeModel,
  type Attribute,
  type DataType,
  type GraphNode,
  type Initializer,
  type ValueInfo
} from './onnx-proto.ts'
import { encodeFloat16 } from '../../maps/float16.ts'
import type { FloatType } from '../latents/float-type.ts'
import type { Matrix } from './matrix.ts'

/** Name of a tensor inside the graph. */
export type Value = string

export interface NodeOptions {
  attributes?: Record<string, Attribute>
  /** '' is the ONNX standard, 'com.microsoft' ONNX Runtime's own operators. */
  domain?: string
  /** Names of the outputs, one per output; default: one output with a name made up. An empty name skips an output. */
  outputs?: readonly Value[]
}

/** Collects nodes and constants in the order they are run, and writes them as a model. */
export class GraphBuilder {
  /** Of its constants and outputs, unless they say otherwise. */
  readonly floatType: FloatType
  private readonly nodes: GraphNode[] = []
  private readonly initializers: Initializer[] = []
  private readonly inputs: ValueInfo[] = []
  private readonly outputs: ValueInfo[] = []
  private readonly names = new Map<Value, string>()
  private numNames = 0

  constructor(floatType: FloatType = 'float32') {
    this.floatType = floatType
  }

  input(name: Value, dataType: DataType, dims: readonly number[]): Value {
    this.inputs.push({ name, dataType, dims })
    return name
  }

  /** Declares that the float tensor `name`, which some node gives, leaves the graph. */
  output(name: Value, dims: readonly number[], dataType: FloatType = this.floatType): void {
    this.outputs.push({ name, dataType, dims })
  }

  /** Gives a value a name of its own, under which `toPart` can cut the graph at it. */
  keep(name: string, value: Value): Value {
    this.names.set(value, name)
    return value
  }

  /** Adds a node and returns its first output. An empty input stands for one that is left out. */
  node(opType: string, inputs: readonly Value[], options: NodeOptions = {}): Value {
    const outputs = options.outputs ?? [this.newName(opType)]
    this.nodes.push({
      name: `${opType}_${this.nodes.length}`,
      opType,
      domain: options.domain ?? '',
      inputs,
      outputs,
      attributes: options.attributes ?? {}
    })
    return outputs[0]!
  }

  newName(hint: string): Value {
    this.numNames += 1
    return `${hint}:${this.numNames}`
  }

  constant(data: Float32Array, dims: readonly number[], type: FloatType = this.floatType): Value {
    return this.initializer(type, dims, type === 'float16' ? encodeFloat16(data) : data)
  }

  matrix(matrix: Matrix): Value {
    return this.constant(matrix.data, [matrix.rows, matrix.columns])
  }

  vector(data: Float32Array, type: FloatType = this.floatType): Value {
    return this.constant(data, [data.length], type)
  }

  zeros(dataType: 'uint8' | 'float', dims: readonly number[]): Value {
    const numElements = dims.reduce((product, size) => product * size, 1)
    if (dataType === 'float') return this.constant(new Float32Array(numElements), dims)
    return this.initializer('uint8', dims, new Uint8Array(numElements))
  }

  /** Bytes as floats, 0 to 255. */
  asFloats(bytes: Value): Value {
    return this.cast(bytes, this.floatType)
  }

  cast(value: Value, to: FloatType): Value {
    return this.node('Cast', [value], { attributes: { to: dataTypes[to] } })
  }

  signedBytes(data: Int8Array, dims: readonly number[]): Value {
    return this.initializer('int8', dims, data)
  }

  integers(values: readonly number[]): Value {
    return this.initializer('int64', [values.length], BigInt64Array.from(values, BigInt))
  }

  reshape(value: Value, dims: readonly number[]): Value {
    return this.node('Reshape', [value, this.integers(dims)])
  }

  transpose(value: Value, perm: readonly number[]): Value {
    return this.node('Transpose', [value], { attributes: { perm } })
  }

  add(a: Value, b: Value): Value {
    return this.node('Add', [a, b])
  }

  /** `count` equal parts along the first axis, named or not. A single part is the value itself. */
  split(value: Value, count: number, names?: readonly Value[]): Value[] {
    if (count === 1) return [value]
    const outputs = names ?? Array.from({ length: count }, () => this.newName('Split'))
    this.node('Split', [value], { outputs, attributes: { axis: 0, num_outputs: count } })
    return [...outputs]
  }

  /** The values one after the other along the first axis. */
  join(values: readonly Value[]): Value {
    return values.length === 1 ? values[0]! : this.node('Concat', values, { attributes: { axis: 0 } })
  }

  toModel(): Uint8Array {
    return encodeModel({
      nodes: this.nodes,
      initializers: this.initializers,
      inputs: this.inputs,
      outputs: this.outputs
    })
  }

  /**
   * The part of the graph that leads to the kept values `outputs`: from the kept values `known`, wherever they are met,
   * and from the graph's own inputs. `inputs` are those of both that it reads.
   */
  toPart(
    known: readonly ValueInfo[],
    outputs: readonly ValueInfo[]
  ): { model: Uint8Array; inputs: string[] } {
    const named = this.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((value) => this.names.get(value) ?? value),
      outputs: node.outputs.map((value) => this.names.get(value) ?? value)
    }))
    const sources = new Map([...this.inputs, ...known].map((source) => [source.name, source]))
    const reached = ancestors(
      named,
      outputs.map(({ name }) => name),
      sources
    )
    const inputs = [...sources.values()].filter(({ name }) => reached.has(name))
    const model = encodeModel({
      nodes: named.filter((node) => node.outputs.some((name) => reached.has(name) && !sources.has(name))),
      initializers: this.initializers.filter(({ name }) => reached.has(name)),
      inputs,
      outputs
    })
    return { model, inputs: inputs.map(({ name }) => name) }
  }

  private initializer(
    dataType: DataType,
    dims: readonly number[],
    data: Float32Array | Uint16Array | Uint8Array | Int8Array | BigInt64Array
  ) {
    const name = this.newName('const')
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    this.initializers.push({ name, dataType, dims, bytes })
    return name
  }
}

/** The values that lead to `targets`, and these; what leads to one of `sources` does not matter. */
function ancestors(
  nodes: readonly GraphNode[],
  targets: readonly Value[],
  sources: ReadonlyMap<Value, unknown>
): ReadonlySet<Value> {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)))
  const reached = new Set<Value>()
  const open = [...targets]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (reached.has(value)) continue
    reached.add(value)
    const inputs = sources.has(value) ? [] : (producers.get(value)?.inputs ?? [])
    open.push(...inputs.filter((input) => input !== ''))
  }
  return reached
}
