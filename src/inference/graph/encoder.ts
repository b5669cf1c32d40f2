import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { layerNorm } from './op-set.ts'
import { patchTokens } from './patch-embedding.ts'
import { NORM_EPSILON, transformerBlock } from './transformer-block.ts'

/**
 * The DINOv2 encoder ("DINOv2", arXiv 2304.07193): frame uint8 [B, H, W, 3] → the four taps [B, patches, D], each
 * through the final norm and without the class token.
 */
export function encoder(context: GraphContext, frame: Value): Value[] {
  const { graph, weights, architecture, grid } = context
  const finalNorm = weights.norm('pretrained.norm', NORM_EPSILON)
  const taps = new Map<number, Value>()
  const numTokens = grid[0] * grid[1] + 1
  let tokens = patchTokens(context, frame)
  for (let block = 0; block <= Math.max(...architecture.taps); block++) {
    tokens = transformerBlock(context, { name: `pretrained.blocks.${block}`, tokens, numTokens })
    if (architecture.taps.includes(block))
      taps.set(block, layerNorm(graph, withoutClassToken(context, tokens, numTokens), finalNorm))
  }
  return architecture.taps.map((block) => taps.get(block)!)
}

function withoutClassToken(
  { graph, architecture, batch }: GraphContext,
  tokens: Value,
  numTokens: number
): Value {
  const batched = graph.reshape(tokens, [batch, numTokens, architecture.embedDim])
  return graph.node('Slice', [batched, graph.integers([1]), graph.integers([numTokens]), graph.integers([1])])
}
