import {
  encodeModel,
  type Attribute,
  type DataType,
  type GraphNode,
  type Initializer,
  type ValueInfo
} from './onnx-proto.ts'
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
  private readonly nodes: GraphNode[] = []
  private readonly initializers: Initializer[] = []
  private readonly inputs: ValueInfo[] = []
  private readonly outputs: ValueInfo[] = []
  private numNames = 0

  input(name: Value, dataType: DataType, dims: readonly number[]): Value {
    this.inputs.push({ name, dataType, dims })
    return name
  }

  /** Declares that the float tensor `name`, which some node gives, leaves the graph. */
  output(name: Value, dims: readonly number[]): void {
    this.outputs.push({ name, dataType: 'float32', dims })
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

  constant(data: Float32Array, dims: readonly number[]): Value {
    return this.initializer('float32', dims, data)
  }

  matrix(matrix: Matrix): Value {
    return this.constant(matrix.data, [matrix.rows, matrix.columns])
  }

  vector(data: Float32Array): Value {
    return this.constant(data, [data.length])
  }

  zeroBytes(dims: readonly number[]): Value {
    return this.initializer('uint8', dims, new Uint8Array(dims.reduce((product, size) => product * size, 1)))
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

  toModel(): Uint8Array {
    return encodeModel({
      nodes: this.nodes,
      initializers: this.initializers,
      inputs: this.inputs,
      outputs: this.outputs
    })
  }

  private initializer(
    dataType: DataType,
    dims: readonly number[],
    data: Float32Array | Uint8Array | Int8Array | BigInt64Array
  ) {
    const name = this.newName('const')
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    this.initializers.push({ name, dataType, dims, bytes })
    return name
  }
}
