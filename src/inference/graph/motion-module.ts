import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { latentRing } from './latent-ring.ts'
import { hiddenName, latentName } from '../latents/latents.ts'
import { addLinearLayer, linearLayers } from './linear-layers.ts'
import { addVectors, multiply, rowVector, scaleColumns, sliceRows, transpose, type Matrix } from './matrix.ts'
import { layerNorm } from './op-set.ts'
import type { AttentionWeights } from './position-projection.ts'
import { temporalAttention } from './temporal-attention.ts'
import type { WindowInputs } from './window-inputs.ts'
import { featuresName } from '../latents/window-values.ts'

const NORM_EPSILON = 1e-5
const GROUP_NORM_EPSILON = 1e-6
const NUM_GROUPS = 32
const ATTENTIONS_PER_MODULE = 2

interface Features {
  /** [B, C, h, w] */
  value: Value
  channels: number
  grid: readonly [number, number]
}

/**
 * Motion module `index` (temporal transformer; "Video Depth Anything", arXiv 2501.12375): features [B, C, h, w] → the
 * same shape. In temporal modes it reads and gives its two latents; in mode single a frame is its own whole window, so that
 * attention is one constant matrix.
 */
export function motionModule(
  context: GraphContext,
  index: number,
  { value, channels, grid }: Features,
  window: WindowInputs | null
): Value {
  const { graph, ops, weights, batch } = context
  const name = `head.motion_modules.${index}.temporal_transformer`
  const block = `${name}.transformer_blocks.0`
  const rows = grid[0] * grid[1]
  graph.keep(featuresName(index), value)
  let hidden = projectIn(context, name, { value, channels, grid })
  for (let attention = 0; attention < ATTENTIONS_PER_MODULE; attention++) {
    const attentionWeights = readAttention(context, `${block}.attention_blocks.${attention}`)
    const norm = weights.norm(`${block}.norms.${attention}`, NORM_EPSILON)
    if (window === null) {
      hidden = ownAttention(context, attentionWeights, hidden, layerNorm(graph, hidden, norm))
      continue
    }
    const site = index * ATTENTIONS_PER_MODULE + attention
    graph.keep(hiddenName(site), hidden)
    const names = Array.from({ length: batch }, (_, row) => latentName(site, row))
    const all = layerNorm(graph, hidden, norm, batch === 1 ? names[0] : undefined)
    const latents = graph.split(all, batch, names)
    for (const latent of latents) {
      graph.keep(latent, latent)
      if (context.ring !== 'copied') graph.output(latent, [rows, channels])
    }
    const caches = latents.map((latent, row) =>
      latentRing(context, window, { index: site, row, latent, rows, channels })
    )
    hidden = temporalAttention(context, attentionWeights, { hidden, latents, caches, rows }, window)
  }
  const output = readLinear(context, `${name}.proj_out`)
  const gated = gatedFeedForward(context, block, hidden)
  const sum = addLinearLayer(context, hidden, gated, {
    weight: weights.matrix(`${block}.ff.net.2.weight`)
  })
  // The feed-forward's bias passes through nothing but proj_out: W (x + b) = W x + W b.
  const feedForwardBias = transpose(rowVector(weights.vector(`${block}.ff.net.2.bias`)))
  const bias = addVectors(output.bias, multiply(output.weight, feedForwardBias).data)
  const tokens = graph.reshape(sum, [batch, rows, channels])
  const projected = ops.multiplyTransposed(
    graph,
    graph.constant(output.weight.data, [1, channels, channels]),
    tokens
  )
  const biased = graph.add(projected, graph.constant(bias, [channels, 1]))
  return graph.add(value, graph.reshape(biased, [batch, channels, ...grid]))
}

/** GroupNorm and proj_in, the norm's scale and shift folded into the projection: [B, C, h, w] → [B*P, C]. */
function projectIn(context: GraphContext, name: string, { value, channels, grid }: Features): Value {
  const { graph, ops, weights, batch } = context
  const groups = graph.reshape(value, [batch, NUM_GROUPS, -1])
  const normed = ops.normalizeGroups(graph, groups, NUM_GROUPS, GROUP_NORM_EPSILON)
  const planes = graph.reshape(normed, [batch, channels, grid[0] * grid[1]])
  const { weight, bias } = readLinear(context, `${name}.proj_in`)
  const shift = transpose(rowVector(weights.vector(`${name}.norm.bias`)))
  const foldedBias = addVectors(bias, multiply(weight, shift).data)
  const folded = transpose(scaleColumns(weight, weights.vector(`${name}.norm.weight`)))
  const product = ops.transposedMultiply(graph, planes, graph.matrix(folded))
  return graph.reshape(graph.add(product, graph.vector(foldedBias)), [-1, channels])
}

/** A window of one frame: its weight is 1, so that attention is W_out W_v (latent + pe[0]) + b. */
function ownAttention(context: GraphContext, weights: AttentionWeights, hidden: Value, latent: Value): Value {
  const combined = multiply(weights.output, weights.value)
  const firstPosition = transpose(sliceRows(weights.positions, 0, 1))
  const bias = addVectors(weights.outputBias, multiply(combined, firstPosition).data)
  return context.graph.add(linearLayers(context, latent, [{ weight: combined, bias }])[0]!, hidden)
}

/** GEGLU: value * gelu(gate), [R, C] → [R, 4C]. */
function gatedFeedForward(context: GraphContext, block: string, hidden: Value): Value {
  const { graph, ops, weights } = context
  const normed = layerNorm(graph, hidden, weights.norm(`${block}.ff_norm`, NORM_EPSILON))
  const weight = weights.matrix(`${block}.ff.net.0.proj.weight`)
  const bias = weights.vector(`${block}.ff.net.0.proj.bias`)
  const half = weight.rows / 2
  const [value, gate] = linearLayers(context, normed, [
    { weight: sliceRows(weight, 0, half), bias: bias.subarray(0, half) },
    { weight: sliceRows(weight, half, weight.rows), bias: bias.subarray(half) }
  ])
  return graph.node('Mul', [value!, ops.gelu(graph, gate!)])
}

function readAttention({ weights, architecture, window }: GraphContext, name: string): AttentionWeights {
  const pe = weights.tensor(`${name}.pos_encoder.pe`)
  const positions: Matrix = { rows: pe.shape[1]!, columns: pe.shape[2]!, data: pe.data }
  return {
    heads: architecture.temporalHeads,
    query: weights.matrix(`${name}.to_q.weight`),
    key: weights.matrix(`${name}.to_k.weight`),
    value: weights.matrix(`${name}.to_v.weight`),
    output: weights.matrix(`${name}.to_out.0.weight`),
    outputBias: weights.vector(`${name}.to_out.0.bias`),
    positions: sliceRows(positions, 0, window.places)
  }
}

function readLinear({ weights }: GraphContext, name: string): { weight: Matrix; bias: Float32Array } {
  return { weight: weights.matrix(`${name}.weight`), bias: weights.vector(`${name}.bias`) }
}
