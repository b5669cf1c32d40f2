import { mapNames } from '../latents/window-values.ts'
import { closing } from './closing.ts'
import { convolution, relu, resize, upConvolution } from './convolution.ts'
import { projected } from './feature-map.ts'
import { fuse } from './fusion.ts'
import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'

/**
 * The depth head on a vision transformer (DPT, arXiv 2103.13413): taps [B, patches, D] x 4 → inverse depth or metres
 * [B, H, W], as the node named `output`.
 */
export function depthHead(context: GraphContext, taps: readonly Value[], output: Value): void {
  const { graph, architecture, grid } = context
  const [map1, map2, map3, map4] = taps.map((value, index) =>
    projected(context, `head.projects.${index}`, { layout: 'cells', value, grid })
  )
  const path = fuse(context, [
    upConvolution(context, 'head.resize_layers.0', graph.keep(mapNames[0], map1!)),
    upConvolution(context, 'head.resize_layers.1', graph.keep(mapNames[1], map2!)),
    map3!,
    convolution(context, 'head.resize_layers.3', map4!, { stride: 2 })
  ])
  const narrowed = convolution(context, 'head.scratch.output_conv1', path)
  const size = [grid[0] * architecture.patch, grid[1] * architecture.patch] as const
  const full = resize(context, narrowed, architecture.features / 2, size)
  const features = relu(context, convolution(context, 'head.scratch.output_conv2.0', full))
  const depth = closing(context, 'head.scratch.output_conv2.2', features)
  graph.node('Squeeze', [depth, graph.integers([1])], { outputs: [output] })
}
