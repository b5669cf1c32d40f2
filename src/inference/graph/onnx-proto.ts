import protobuf from 'protobufjs/light.js'

/**
 * The few ONNX messages that a graph needs, with their field numbers (facts of onnx.proto3, IR version 8).
 * Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
const descriptor = {
  nested: {
    AttributeProto: {
      fields: {
        name: { type: 'string', id: 1 },
        f: { type: 'float', id: 2 },
        i: { type: 'int64', id: 3 },
        s: { type: 'bytes', id: 4 },
        ints: { rule: 'repeated', type: 'int64', id: 8 },
        type: { type: 'int32', id: 20 }
      }
    },
    NodeProto: {
      fields: {
        input: { rule: 'repeated', type: 'string', id: 1 },
        output: { rule: 'repeated', type: 'string', id: 2 },
        name: { type: 'string', id: 3 },
        opType: { type: 'string', id: 4 },
        attribute: { rule: 'repeated', type: 'AttributeProto', id: 5 },
        domain: { type: 'string', id: 7 }
      }
    },
    TensorProto: {
      fields: {
        dims: { rule: 'repeated', type: 'int64', id: 1 },
        dataType: { type: 'int32', id: 2 },
        name: { type: 'string', id: 8 },
        rawData: { type: 'bytes', id: 9 }
      }
    },
    Dimension: { fields: { dimValue: { type: 'int64', id: 1 } } },
    TensorShapeProto: { fields: { dim: { rule: 'repeated', type: 'Dimension', id: 1 } } },
    TensorTypeProto: {
      fields: { elemType: { type: 'int32', id: 1 }, shape: { type: 'TensorShapeProto', id: 2 } }
    },
    TypeProto: { fields: { tensorType: { type: 'TensorTypeProto', id: 1 } } },
    ValueInfoProto: {
      fields: { name: { type: 'string', id: 1 }, type: { type: 'TypeProto', id: 2 } }
    },
    GraphProto: {
      fields: {
        node: { rule: 'repeated', type: 'NodeProto', id: 1 },
        name: { type: 'string', id: 2 },
        initializer: { rule: 'repeated', type: 'TensorProto', id: 5 },
        input: { rule: 'repeated', type: 'ValueInfoProto', id: 11 },
        output: { rule: 'repeated', type: 'ValueInfoProto', id: 12 }
      }
    },
    OperatorSetId: { fields: { domain: { type: 'string', id: 1 }, version: { type: 'int64', id: 2 } } },
    ModelProto: {
      fields: {
        irVersion: { type: 'int64', id: 1 },
        producerName: { type: 'string', id: 2 },
        graph: { type: 'GraphProto', id: 7 },
        opsetImport: { rule: 'repeated', type: 'OperatorSetId', id: 8 }
      }
    }
  }
}

const modelProto = protobuf.Root.fromJSON(descriptor).lookupType('ModelProto')

/** TensorProto.DataType */
export const dataTypes = { float32: 1, uint8: 2, int8: 3, int64: 7, float16: 10 } as const
export type DataType = keyof typeof dataTypes

/** AttributeProto.AttributeType */
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const

/** A number is an int; a float is wrapped, since JavaScript cannot tell 1 from 1.0. */
export type Attribute = number | { float: number } | string | readonly number[]

export interface GraphNode {
  name: string
  opType: string
  domain: string
  inputs: readonly string[]
  outputs: readonly string[]
  attributes: Readonly<Record<string, Attribute>>
}

export interface Initializer {
  name: string
  dataType: DataType
  dims: readonly number[]
  /** Little-endian, row-major. */
  bytes: Uint8Array
}

export interface ValueInfo {
  name: string
  dataType: DataType
  dims: readonly number[]
}

export interface OnnxGraph {
  nodes: readonly GraphNode[]
  initializers: readonly Initializer[]
  inputs: readonly ValueInfo[]
  outputs: readonly ValueInfo[]
}

/** ModelProto bytes of a graph, opset 18; the domain com.microsoft is imported only where a node uses it. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const domains = new Set(graph.nodes.map((node) => node.domain))
  return modelProto
    .encode({
      irVersion: 8,
      producerName: 'leadline',
      graph: {
        name: 'step',
        node: graph.nodes.map(nodeMessage),
        initializer: graph.initializers.map(initializerMessage),
        input: graph.inputs.map(valueInfoMessage),
        output: graph.outputs.map(valueInfoMessage)
      },
      opsetImport: [...domains].map((domain) => ({ domain, version: domain === '' ? 18 : 1 }))
    })
    .finish()
}

function nodeMessage(node: GraphNode) {
  return {
    name: node.name,
    opType: node.opType,
    domain: node.domain,
    input: node.inputs,
    output: node.outputs,
    attribute: Object.entries(node.attributes).map(([name, value]) => ({ name, ...attributeValue(value) }))
  }
}

function attributeValue(value: Attribute) {
  if (typeof value === 'number') return { i: value, type: attributeTypes.int }
  if (typeof value === 'string') return { s: Buffer.from(value), type: attributeTypes.string }
  if ('float' in value) return { f: value.float, type: attributeTypes.float }
  return { ints: value, type: attributeTypes.ints }
}

function initializerMessage(initializer: Initializer) {
  return {
    name: initializer.name,
    dataType: dataTypes[initializer.dataType],
    dims: initializer.dims,
    rawData: initializer.bytes
  }
}

function valueInfoMessage(value: ValueInfo) {
  const dim = value.dims.map((dimValue) => ({ dimValue }))
  return {
    name: value.name,
    type: { tensorType: { elemType: dataTypes[value.dataType], shape: { dim } } }
  }
}
