import { mapNames, stemName } from '../latents/window-values.ts'
import { closing } from './closing.ts'
import { convolution, relu } from './convolution.ts'
import { projected, type FeatureMap } from './feature-map.ts'
import { fuse } from './fusion.ts'
import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'

/**
 * The depth head on a convolutional encoder: five maps, fine to coarse → depth [B, H, W], as the node named `output`. The
 * stem's map joins at half size, where four values a cell stand for the 2x2 pixels that it covers.
 */
export function convDepthHead(context: GraphContext, maps: readonly FeatureMap[], output: Value): void {
  const { graph } = context
  const [stem, ...stages] = maps
  const [map1, map2, map3, map4] = stages.map((map, index) =>
    projected(context, `head.projects.${index}`, map)
  )
  const path = fuse(context, [graph.keep(mapNames[0], map1!), graph.keep(mapNames[1], map2!), map3!, map4!])
  const detail = convolution(context, 'head.scratch.layer0_rn', graph.keep(stemName, stem!.value))
  const joined = relu(context, graph.add(detail, path))
  const features = relu(context, convolution(context, 'head.scratch.output_conv1', joined))
  spread(context, closing(context, 'head.scratch.output_conv2', features), output)
}

/** Pixel shuffle (arXiv 1609.05158), channels being the pixels of a cell row by row: [B, 4, h, w] → [B, 2h, 2w]. */
function spread({ graph, architecture, batch, grid }: GraphContext, x: Value, output: Value): void {
  const [rows, columns] = [(grid[0] * architecture.patch) / 2, (grid[1] * architecture.patch) / 2]
  const pixels = graph.transpose(graph.reshape(x, [batch, 2, 2, rows, columns]), [0, 3, 1, 4, 2])
  graph.node('Reshape', [pixels, graph.integers([batch, 2 * rows, 2 * columns])], { outputs: [output] })
}
